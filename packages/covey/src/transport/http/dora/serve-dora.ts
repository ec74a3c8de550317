import type { MethodRef } from '../../../call/method-ref.ts'
import { nothing } from '../../../contract/schema.ts'
import { CoveyError } from '../../../error/covey-error.ts'
import { sendErrorData } from '../../../error/send-error-data.ts'
import { acceptsNothing } from '../../mode-refusal.ts'
import { jsonBody } from '../body-codec.ts'
import type { CallDesk } from '../call-desk.ts'
import type { Exchange } from '../exchange.ts'
import { doraCodes, toDoraCode } from './dora-codes.ts'
import { DoraError, type DoraRequest, isObject, readDoraRequest } from './dora-request.ts'
import { type DoraStats, doraStats } from './dora-stats.ts'

/** Most APIs in one request; Dora advises 50. */
const maxApis = 100

/** Time for a method that has no limit of its own, in milliseconds: there is an answer to everything. */
const longestMs = 60_000

/** An answer of Dora's. */
interface DoraAnswer {
  readonly guid: string
  readonly code: number
  readonly msg: string
  readonly data: unknown
}

/** Whether a path belongs to Dora's HTTP API. */
export function isDoraPath(path: string): boolean {
  return path.startsWith('/api/') || path.startsWith('/server/')
}

/**
 * Answers as a server of Dora-RPC does, always with HTTP status 200: what went wrong is told by a number.
 * @param admit what every request must pass
 */
export async function serveDora(
  desk: CallDesk,
  exchange: Exchange,
  admit: () => Promise<void>,
): Promise<void> {
  let guid = ''
  try {
    await admit()
    const request = await readDoraRequest(desk, exchange)
    guid = request.guid
    send(exchange, await answer(desk, exchange, request))
  } catch (error) {
    send(exchange, failure(CoveyError.from(error), guid))
  }
}

async function answer(
  desk: CallDesk,
  exchange: Exchange,
  request: DoraRequest,
): Promise<DoraAnswer> {
  switch (exchange.path.replace(/\/+$/, '')) {
    case '/api/multisync':
      return multiSync(desk, exchange, request)
    case '/api/multinoresult':
      return multiNoResult(desk, exchange, request)
    case '/server/cmd':
      return command(desk, exchange, request)
    default:
      throw new DoraError(doraCodes.unknownTask, 'unknow task type.未知类型任务')
  }
}

/** Runs all side by side and answers with what came of each. */
async function multiSync(
  desk: CallDesk,
  exchange: Exchange,
  { guid, api }: DoraRequest,
): Promise<DoraAnswer> {
  const outcomes = await Promise.all(
    entriesOf(api).map(async ([key, wish]) => {
      return [key, await settle(desk, exchange, wish, guid)] as const
    }),
  )
  return { guid, code: doraCodes.ok, msg: 'OK', data: Object.fromEntries(outcomes) }
}

async function settle(
  desk: CallDesk,
  exchange: Exchange,
  wish: unknown,
  guid: string,
): Promise<DoraAnswer> {
  try {
    const { method, param, limits } = readWish(desk, exchange, wish)
    const call = desk.begin(exchange, method, param, limits)
    const cancelled = new Promise<never>((_, reject) => call.onCancel(reject))
    const value = (await Promise.race([desk.dispatcher.serve(call), cancelled])) ?? null
    // What cannot be written is the fault of this API alone.
    jsonBody.encode(value)
    return { guid, code: doraCodes.ok, msg: 'OK', data: value }
  } catch (error) {
    return failure(CoveyError.from(error), guid)
  }
}

/**
 * Answers when each API was begun or refused; the work goes on without its caller. `data` says which APIs there are. The answer as a whole is
 * a success if any was accepted, for a caller that sent it all again would have that one run twice.
 */
async function multiNoResult(
  desk: CallDesk,
  exchange: Exchange,
  { guid, api }: DoraRequest,
): Promise<DoraAnswer> {
  const outcomes = await Promise.all(
    entriesOf(api).map(
      async ([key, wish]) => [key, await accept(desk, exchange, wish, guid)] as const,
    ),
  )
  const answers = outcomes.map(([, answer]) => answer)
  const { code, msg } = answers.find((one) => one.code === doraCodes.accepted) ?? answers[0]!
  return { guid, code, msg, data: Object.fromEntries(outcomes) }
}

/** Has a call run that nobody waits for, whether its caller stays or goes. */
async function accept(
  desk: CallDesk,
  exchange: Exchange,
  wish: unknown,
  guid: string,
): Promise<DoraAnswer> {
  const { dispatcher } = desk
  try {
    const { method, param, limits } = readWish(desk, exchange, wish)
    if (dispatcher.accept === undefined) throw acceptsNothing(dispatcher)
    await dispatcher.accept(desk.detached(exchange, method, param, limits))
    return { guid, code: doraCodes.accepted, msg: 'transfer success.已经成功投递', data: [] }
  } catch (error) {
    return failure(CoveyError.from(error), guid)
  }
}

async function command(
  desk: CallDesk,
  exchange: Exchange,
  { guid, api }: DoraRequest,
): Promise<DoraAnswer> {
  const name = isObject(api.cmd) ? api.cmd.name : undefined
  if (name === 'getStat') {
    const data: DoraStats = await doraStats(desk, exchange)
    return { guid, code: doraCodes.ok, msg: 'OK', data }
  }
  if (name === 'reloadTask') {
    const message = 'reloadTask: code is reloaded by the supervisor, process by process'
    throw new DoraError(doraCodes.unknownCommand, message)
  }
  throw new DoraError(doraCodes.unknownCommand, 'unknow cmd')
}

function entriesOf(api: DoraRequest['api']): [string, unknown][] {
  const entries = Object.entries(api)
  if (entries.length <= maxApis) return entries
  const message = `${entries.length} APIs in one request; the limit is ${maxApis}`
  throw new DoraError(doraCodes.wrongParameter, message)
}

/** What one entry calls: `{ name, param }`. */
function readWish(desk: CallDesk, exchange: Exchange, wish: unknown) {
  if (!isObject(wish) || typeof wish.name !== 'string') {
    throw new CoveyError('INVALID_INPUT', 'an API is { name, param }')
  }
  const headers = desk.headers(exchange)
  // `/users/get` and `users.get` are the same.
  const method = desk.method(wish.name.replace(/^\/+|\/+$/g, '').replaceAll('/', '.'))
  if (method.kind !== 'unary') {
    throw new CoveyError('INVALID_INPUT', `${method.path} is a stream, which Dora has not`)
  }
  const timeoutMs = headers.timeoutMs ?? Math.min(method.timeoutMs ?? longestMs, longestMs)
  const param = takesNothing(method) && isEmpty(wish.param) ? undefined : wish.param
  return { method, param, limits: { ...headers, timeoutMs } }
}

function takesNothing(method: MethodRef): boolean {
  return 'input' in method && method.input === nothing
}

/** PHP sends an empty list where it has nothing to send, and with some settings an empty object. */
function isEmpty(param: unknown): boolean {
  return typeof param === 'object' && param !== null && Object.keys(param).length === 0
}

function failure(error: CoveyError, guid: string): DoraAnswer {
  if (error instanceof DoraError) {
    return { guid: guid || error.guid, code: error.number, msg: error.message, data: [] }
  }
  // What cannot be written of an error is the fault of its API alone.
  return sendErrorData(error.toData(), ({ code, message, details }) => {
    const data = details === undefined ? { code } : { code, details }
    const answer = { guid, code: toDoraCode(code), msg: message, data }
    jsonBody.encode(answer)
    return answer
  })
}

function send(exchange: Exchange, answer: DoraAnswer): void {
  let body: Uint8Array
  try {
    body = jsonBody.encode(answer)
  } catch (error) {
    body = jsonBody.encode({ ...failure(CoveyError.from(error), answer.guid), data: [] })
  }
  exchange.send(200, body, { 'content-type': 'application/json; charset=utf-8' })
}
