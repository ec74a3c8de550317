import { escapeControls } from './escape-controls.ts'
import {
  instanceName,
  type LogLine,
  maxLineBytes,
  type PinoRecord,
  pinoRecord,
} from './log-line.ts'

/** How lines are to look. */
export interface RenderOptions {
  readonly color: boolean
  /** Names for the first column, by `user-0`; see {@link columnNames}. */
  readonly names: ReadonlyMap<string, string>
}

const reset = '\x1b[0m'
const dim = '\x1b[2m'
const red = '\x1b[31m'
const yellow = '\x1b[33m'
/** Cyan, green, magenta, blue and their bright sisters; red and yellow say warning and error. */
const palette = [36, 32, 35, 34, 96, 92, 95, 94].map((code) => `\x1b[${code}m`)

/** What every pino line has, or what is shown in another place. */
const hiddenFields = new Set([
  'level',
  'time',
  'msg',
  'app',
  'pid',
  'hostname',
  'v',
  'traceId',
  'err',
])

/**
 * Makes a function that shows a line for people: `12:00:01 user  │ listening  port=4100`. pino lines show
 * level, message and fields, other lines are shown as they are. Stacks of errors follow on lines of their own.
 */
export function createRenderer({ color, names }: RenderOptions): (line: LogLine) => string {
  const width = Math.max(0, ...[...names.values()].map((name) => name.length))
  const order = [...names.keys()]
  const paint = (code: string, text: string) => (color && text ? `${code}${text}${reset}` : text)
  return (line) => {
    const instance = instanceName(line)
    const name = (names.get(instance) ?? instance).padEnd(width)
    const paletteIndex = Math.max(0, order.indexOf(instance)) % palette.length
    const record = pinoRecord(line.text)
    const timeMs = typeof record?.time === 'number' ? record.time : line.timeMs
    const head = `${paint(dim, clockTime(timeMs))} ${paint(palette[paletteIndex]!, `${name} │`)} `
    if (record === undefined)
      return `${head}${line.stream === 'stderr' ? paint(red, line.text) : line.text}\n`
    const level = levelWord(record.level)
    const levelColor = record.level >= 50 ? red : record.level >= 40 ? yellow : dim
    const fields = cut(fieldsText(record))
    const message = cut(escapeControls(record.msg))
    const first = `${head}${paint(levelColor, level)}${message}${fields && paint(dim, `  ${fields}`)}\n`
    return (
      first +
      stackLines(record)
        .map((text) => `${head}  ${paint(dim, text)}\n`)
        .join('')
    )
  }
}

/** `user` for the only copy of a process, `user-0` and `user-1` for several; by `user-0`. */
export function columnNames(
  copies: Iterable<{ process: string; replica: number }>,
): Map<string, string> {
  const list = [...copies]
  const several = new Set(list.filter(({ replica }) => replica > 0).map(({ process }) => process))
  return new Map(
    list.map((copy) => [
      instanceName(copy),
      several.has(copy.process) ? instanceName(copy) : copy.process,
    ]),
  )
}

/** Whether to use colours: `NO_COLOR` forbids, `FORCE_COLOR` asks for them, else a terminal has them. */
export function wantsColor(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return isTerminal && env.TERM !== 'dumb'
}

function clockTime(timeMs: number): string {
  const date = new Date(timeMs)
  if (Number.isNaN(date.getTime())) return '--:--:--'
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()]
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}

function levelWord(level: number): string {
  if (level >= 60) return 'FATAL '
  if (level >= 50) return 'ERROR '
  if (level >= 40) return 'WARN '
  if (level >= 30) return ''
  return level >= 20 ? 'DEBUG ' : 'TRACE '
}

function fieldsText(record: PinoRecord): string {
  const shown = Object.entries(record).filter(([key]) => !hiddenFields.has(key))
  const fields = shown.map(([key, value]) => `${escapeControls(key)}=${valueText(value)}`)
  const error = errorMessage(record.err)
  if (error !== undefined) fields.push(`err=${valueText(error)}`)
  if (typeof record.traceId === 'string') {
    fields.push(`traceId=${escapeControls(record.traceId.slice(0, 8))}`)
  }
  return fields.join(' ')
}

function valueText(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return escapeControls(value)
  return escapeControls(JSON.stringify(value) ?? '')
}

/** The message of pino's `err` field, unless its stack, which begins with it, is shown. */
function errorMessage(err: unknown): string | undefined {
  if (typeof err !== 'object' || err === null) return err === undefined ? undefined : String(err)
  if ('stack' in err && typeof err.stack === 'string') return undefined
  return 'message' in err ? String(err.message) : JSON.stringify(err)
}

function stackLines({ err }: PinoRecord): string[] {
  if (typeof err !== 'object' || err === null || !('stack' in err)) return []
  if (typeof err.stack !== 'string') return []
  return err.stack.split('\n').map((text) => cut(escapeControls(text.trimEnd())))
}

function cut(text: string): string {
  return text.length > maxLineBytes ? `${text.slice(0, maxLineBytes)}…` : text
}
