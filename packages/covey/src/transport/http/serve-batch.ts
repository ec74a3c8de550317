import { CoveyError, type ErrorData } from '../../error/covey-error.ts'
import type { CallDesk } from './call-desk.ts'
import type { CallHeaders } from './call-headers.ts'
import type { Exchange } from './exchange.ts'
import { requireKnown } from './require-known.ts'
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
}

/** Answers `POST /rpc/batch`: calls by name, run side by side, each with its own success or error. */
export async function serveBatch(desk: CallDesk, exchange: Exchange): Promise<void> {
  requireKnown(exchange, [])
  const headers = desk.headers(exchange)
  const entries = readEntries(await readInput(desk, exchange))
  const outcomes = await Promise.all(
    entries.map(async ([name, entry]) => {
      return [name, await settle(desk, exchange, name, entry, headers)] as const
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
  name: string,
  entry: unknown,
  headers: CallHeaders,
): Promise<BatchOutcome> {
  try {
    const { method: path, input } = readEntry(name, entry)
    const method = desk.method(path)
    if (method.kind !== 'unary') {
      throw new CoveyError('INVALID_INPUT', `${path} is a stream, which cannot be in a batch`)
    }
    const call = desk.begin(exchange, method, input, headers)
    const cancelled = new Promise<never>((_, reject) => call.onCancel(reject))
    const value = await Promise.race([desk.dispatcher.serve(call), cancelled])
    // What cannot be written is the fault of this entry alone.
    exchange.codec.encode(value ?? null)
    return value === undefined ? { ok: true } : { ok: true, value }
  } catch (error) {
    return { ok: false, error: CoveyError.from(error).toData() }
  }
}

function readEntry(name: string, entry: unknown): Entry {
  if (isObject(entry) && typeof entry.method === 'string') {
    return { method: entry.method, input: entry.input }
  }
  throw new CoveyError(
    'INVALID_INPUT',
    `entry ${name}: expected { method: "service.method", input }`,
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  )
}
