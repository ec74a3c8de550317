import type { CallMode } from '../../call/call.ts'
import type { MethodRef } from '../../call/method-ref.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { acceptsNothing } from '../mode-refusal.ts'
import type { CallDesk } from './call-desk.ts'
import { type CallHeaders, preference } from './call-headers.ts'
import type { Exchange } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { headerName, rpcPath } from './wire.ts'

/**
 * What the caller wants back: by header, by `?mode=`, or by `prefer: respond-async` (RFC 7240).
 * @throws CoveyError `PROTOCOL_ERROR`
 */
export function modeOf({ request, query }: Exchange): CallMode {
  const mode = request.headers[headerName.mode] ?? query.get('mode') ?? undefined
  if (mode === 'wait' || mode === 'notify' || mode === 'submit') return mode
  if (mode === undefined) {
    return preference(request.headers, 'respond-async') === undefined ? 'wait' : 'submit'
  }
  const error = new CoveyError('PROTOCOL_ERROR', 'mode: expected wait, notify or submit')
  throw new HttpError(error, 400)
}

/** Answers 202 as soon as the handler has begun: of `submit` with the token, and where its result will be. */
export async function serveAccepted(
  desk: CallDesk,
  exchange: Exchange,
  method: MethodRef,
  input: unknown,
  headers: CallHeaders,
): Promise<void> {
  const { dispatcher } = desk
  if (dispatcher.accept === undefined) throw acceptsNothing(dispatcher)
  const mode = modeOf(exchange)
  const call = desk.begin(exchange, method, input, headers, mode)
  call.onCancel((reason) => exchange.problem(reason))
  const token = await dispatcher.accept(call)
  if (token === undefined) exchange.value({}, 202)
  else exchange.value({ token }, 202, { location: resultPath(token) })
}

/** Where the result of a token is asked for. */
export function resultPath(token: string): string {
  return `${rpcPath}/results/${encodeURIComponent(token)}`
}
