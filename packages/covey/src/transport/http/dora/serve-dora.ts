import type { Call } from '../../../call/call.ts'
import { CoveyError } from '../../../error/covey-error.ts'
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

/** Answers at once; the work goes on without its caller. `data` says which APIs there are. */
async function multiNoResult(
  desk: CallDesk,
  exchange: Exchange,
  { guid, api }: DoraRequest,
): Promise<DoraAnswer> {
  const msg = 'transfer success.已经成功投递'
  const outcomes = entriesOf(api).map(([key, wish]) => {
    try {
      const { method, param, limits } = readWish(desk, exchange, wish)
      accept(desk, desk.detached(exchange, method, param, limits))
      return [key, { guid, code: doraCodes.accepted, msg, data: [] }]
    } catch (error) {
      return [key, failure(CoveyError.from(error), guid)]
    }
  })
  return { guid, code: doraCodes.accepted, msg, data: Object.fromEntries(outcomes) }
}

/** Runs a call that nobody waits for; nobody but the log hears of its failure. */
function accept({ dispatcher, options }: CallDesk, call: Call): void {
  const run = dispatcher.accept?.(call) ?? dispatcher.serve(call)
  run.catch((error: unknown) => {
    const { code, message } = CoveyError.from(error)
    const { path } = call.method
    options.log?.error(
      { code, method: path },
      `${path}, which nobody waits for, failed: ${message}`,
    )
  })
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
  return { method, param: wish.param, limits: { ...headers, timeoutMs } }
}

function failure(error: CoveyError, guid: string): DoraAnswer {
  if (error instanceof DoraError) {
    return { guid: guid || error.guid, code: error.number, msg: error.message, data: [] }
  }
  const { code, message, details } = error
  const data = details === undefined ? { code } : { code, details }
  return { guid, code: toDoraCode(code), msg: message, data }
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
