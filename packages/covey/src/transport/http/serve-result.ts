import { CoveyError, type ErrorData } from '../../error/covey-error.ts'
import type { CallDesk } from './call-desk.ts'
import { preference } from './call-headers.ts'
import type { Exchange } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { requireKnown } from './require-known.ts'

/** The method that every application has for this. */
const collect = 'covey.results.collect'

/** The answer of that method for one token; see `docs/protocol.md`. */
type Collected =
  | { readonly state: 'done'; readonly value?: unknown }
  | { readonly state: 'failed'; readonly error: ErrorData }
  | { readonly state: 'running' }
  | { readonly state: 'unknown' }

/**
 * Answers `GET /rpc/results/<token>`: with what the submitted call would have answered itself, 202 while it runs, and 410 for a
 * token that was never given here, or has expired.
 */
export async function serveResult(
  desk: CallDesk,
  exchange: Exchange,
  token: string,
): Promise<void> {
  requireKnown(exchange, ['waitMs'])
  const { timeoutMs, ...headers } = desk.headers(exchange)
  const method = desk.method(collect)
  const waitMs = waitOf(exchange)
  // The time of the question is not that of the wait: the answer has to come back after it.
  const limits = { ...headers, timeoutMs: timeoutMs ?? waitMs + (method.timeoutMs ?? 0) }
  const call = desk.begin(exchange, method, { tokens: [token], waitMs }, limits)
  call.onCancel((reason) => exchange.problem(reason))
  const [result] = (await desk.dispatcher.serve(call)) as [Collected]
  if (result.state === 'done') return exchange.value(result.value)
  if (result.state === 'failed') throw CoveyError.fromData(result.error)
  if (result.state === 'running') return exchange.value({ state: 'running' }, 202)
  const message =
    'no result waits under this token here: it has expired, or another instance gave it'
  throw new CoveyError('RESULT_EXPIRED', message)
}

/** Milliseconds that the answer may wait for the call to end; none unless said. */
function waitOf({ request, query }: Exchange): number {
  const seconds = preference(request.headers, 'wait')
  const text = query.get('waitMs') ?? (seconds === undefined ? '0' : `${seconds}000`)
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const error = new CoveyError('PROTOCOL_ERROR', 'waitMs: expected a whole number of milliseconds')
  throw new HttpError(error, 400)
}
