import type { Call, CallMode } from '../../call/call.ts'
import { CoveyError, type ErrorData } from '../../error/covey-error.ts'
import { sendErrorData } from '../../error/send-error-data.ts'
import { shortText } from '../../error/short-text.ts'
import { acceptsNothing } from '../mode-refusal.ts'
import type { CallDesk } from './call-desk.ts'
import type { CallHeaders } from './call-headers.ts'
import type { Exchange } from './exchange.ts'
import { hintFor, maxNameLength, requireKnown } from './require-known.ts'
import { modeOf } from './serve-accepted.ts'
import { readInput } from './serve-method.ts'

/** Most calls in one batch. */
export const maxBatchEntries = 100

/** What came of one entry. */
export type BatchOutcome =
  | { readonly ok: true; readonly value?: unknown }
  | { readonly ok: false; readonly error: ErrorData }

interface Entry {
  readonly method: string
  readonly input: unknown
  readonly mode: CallMode
}

/**
 * Answers `POST /rpc/batch`: calls by name, run side by side, each with its own success or error. Of entries that nobody waits for,
 * whether they were accepted, and the tokens of their results.
 */
export async function serveBatch(desk: CallDesk, exchange: Exchange): Promise<void> {
  requireKnown(exchange, ['mode'])
  const headers = desk.headers(exchange)
  const mode = modeOf(exchange)
  const entries = readEntries(await readInput(desk, exchange))
  const outcomes = await Promise.all(
    entries.map(async ([name, entry]) => {
      return [
        name,
        await settle(desk, exchange, () => readEntry(name, entry, mode), headers),
      ] as const
    }),
  )
  exchange.value(Object.fromEntries(outcomes))
}

/** @throws CoveyError `INVALID_INPUT` */
function readEntries(body: unknown): [string, unknown][] {
  if (!isObject(body)) {
    throw new CoveyError('INVALID_INPUT', 'a batch is an object: names to { method, input }')
  }
  const entries = Object.entries(body)
  if (entries.length <= maxBatchEntries) return entries
  const message = `a batch of ${entries.length} calls; the limit is ${maxBatchEntries}`
  throw new CoveyError('INVALID_INPUT', message)
}

async function settle(
  desk: CallDesk,
  exchange: Exchange,
  read: () => Entry,
  headers: CallHeaders,
): Promise<BatchOutcome> {
  try {
    const { method: path, input, mode } = read()
    const method = desk.method(path)
    if (method.kind !== 'unary') {
      throw new CoveyError('INVALID_INPUT', `${path} is a stream, which cannot be in a batch`)
    }
    const call = desk.begin(exchange, method, input, headers, mode)
    const cancelled = new Promise<never>((_, reject) => call.onCancel(reject))
    const value = await Promise.race([run(desk, call), cancelled])
    // What cannot be written is the fault of this entry alone.
    exchange.codec.encode(value ?? null)
    return value === undefined ? { ok: true } : { ok: true, value }
  } catch (error) {
    return { ok: false, error: sendable(exchange, CoveyError.from(error)) }
  }
}

/** As much of an error as can be written. */
function sendable({ codec }: Exchange, error: CoveyError): ErrorData {
  return sendErrorData(error.toData(), (data) => {
    codec.encode(data)
    return data
  })
}

/** The result, or where it will be. */
async function run({ dispatcher }: CallDesk, call: Call): Promise<unknown> {
  if (call.mode === 'wait') return dispatcher.serve(call)
  if (dispatcher.accept === undefined) throw acceptsNothing(dispatcher)
  const token = await dispatcher.accept(call)
  return token === undefined ? undefined : { token }
}

function readEntry(name: string, entry: unknown, mode: CallMode): Entry {
  if (isObject(entry) && typeof entry.method === 'string') {
    requireKnownKeys(name, entry)
    return { method: entry.method, input: entry.input, mode: toMode(name, entry.mode ?? mode) }
  }
  throw new CoveyError(
    'INVALID_INPUT',
    `entry ${name}: expected { method: "service.method", input, mode? }`,
  )
}

const entryKeys = ['method', 'input', 'mode']

/** A key that nobody reads was mistyped, and the call would run without what it stood for. */
function requireKnownKeys(name: string, entry: object): void {
  const key = Object.keys(entry).find((one) => !entryKeys.includes(one))
  if (key === undefined) return
  const message = `entry ${name}: no key ${shortText(key, maxNameLength)} here${hintFor(key, entryKeys)}`
  throw new CoveyError('INVALID_INPUT', message)
}

function toMode(name: string, mode: unknown): CallMode {
  if (mode === 'wait' || mode === 'notify' || mode === 'submit') return mode
  const message = `entry ${name}: mode: expected wait, notify or submit`
  throw new CoveyError('INVALID_INPUT', message)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  )
}
