import { pinoRecord } from '../observe/log-line.ts'

/** A line that a process wrote. */
export interface OutputLine {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** How `createApp` begins what it says at last; see `app/start-failure-text.ts`. */
const lastWords = /^\S+ cannot start: (.*)$/
/** How Node shows an error that nobody caught: `TypeError: x`, `Error [ERR_MODULE_NOT_FOUND]: y`. */
const uncaught = /^(?:Uncaught )?[\w$.]*(?:Error|Exception)\b[^:]*: ./
const stackFrame = /^\s+at |^caused by: /
const nodeVersion = /^Node\.js v\d/
/** Lines of a list of mistakes that are told in one line. */
const toldItems = 3

/** Whether a process says with this line why it cannot start, and then ends. */
export function isLastWord(text: string): boolean {
  return lastWords.test(text)
}

/**
 * Why a process could not start, in one line: what an application of ours says, else an error that nobody caught, else the last error of
 * its log, else the last line of its standard error. Undefined when it said nothing.
 */
export function startReason(lines: readonly OutputLine[]): string | undefined {
  const errors = lines.flatMap(({ stream, text }) => (stream === 'stderr' ? [text] : []))
  const own = errors.findLastIndex(isLastWord)
  if (own !== -1) return inOneLine(errors.slice(own))
  const thrown = errors.findLast((text) => uncaught.test(text))
  if (thrown !== undefined) return thrown
  const logged = lines.map(({ text }) => loggedError(text)).findLast((text) => text !== undefined)
  const plain = (text: string) =>
    text.trim() !== '' && !stackFrame.test(text) && !nodeVersion.test(text) && !pinoRecord(text)
  return logged ?? errors.findLast(plain)?.trim()
}

/** The last words of a process that could not start, without its name, a line each; empty when it said nothing. */
export function startWords(lines: readonly OutputLine[]): string[] {
  const errors = lines.flatMap(({ stream, text }) => (stream === 'stderr' ? [text] : []))
  const own = errors.findLastIndex(isLastWord)
  const words = (own === -1 ? errors : errors.slice(own)).filter((text) => text.trim() !== '')
  return words.map((text, at) => (own !== -1 && at === 0 ? lastWords.exec(text)![1]! : text))
}

/** `1 setting is wrong: COVEY__HSOT: unknown variable`, of the line that says so and the list below it. */
function inOneLine([first = '', ...rest]: readonly string[]): string {
  const said = lastWords.exec(first)?.[1] ?? first
  if (!said.endsWith(':')) return said
  const end = rest.findIndex((text) => !/^\s+\S/.test(text) || stackFrame.test(text))
  const items = rest.slice(0, end === -1 ? rest.length : end).map((text) => text.trim())
  const more = items.length > toldItems ? [`${items.length - toldItems} more`] : []
  return `${said} ${[...items.slice(0, toldItems), ...more].join('; ')}`
}

function loggedError(text: string): string | undefined {
  const record = pinoRecord(text)
  if (record === undefined || record.level < 50) return undefined
  const { err, msg } = record
  const cause =
    typeof err === 'object' && err !== null && 'message' in err ? String(err.message) : ''
  return cause === '' || msg.includes(cause) ? msg : `${msg}: ${cause}`
}
