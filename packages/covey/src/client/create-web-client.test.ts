import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { systemClock } from '../base/clock.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { clientStream, duplex, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { silentLog } from '../observe/log.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { freePort } from '../testing/free-port.ts'
import { until } from '../testing/until.ts'
import { defaultLimits } from '../transport/limits.ts'
import type { Listener } from '../transport/transport.ts'
import { listenWs } from '../transport/ws/server.ts'
import {
  createWebClient,
  type LinkInfo,
  type LinkState,
  type WebClient,
  type WebClientOptions,
} from './create-web-client.ts'

const chat = defineContract('chat', {
  me: unary({ output: z.string(), timeoutMs: 20_000 }),
  hang: unary({ timeoutMs: 20_000 }),
  /** Answers when it is asked a second time: with which attempt that is. */
  second: unary({ output: z.number(), idempotent: true, timeoutMs: 20_000 }),
  upload: clientStream({ input: z.instanceof(Uint8Array), output: z.number() }),
  talk: duplex({ input: z.string(), output: z.string() }),
})

let asked = 0

const chatService = defineService(chat, {
  second(_, { attempt }) {
    asked += 1
    return asked === 1 ? new Promise<number>(() => {}) : attempt
  },
  me: (_, call) => call.peer.identity?.subject ?? 'nobody',
  hang: () => new Promise<void>(() => {}),
  async upload(pieces) {
    let bytes = 0
    for await (const piece of pieces) bytes += piece.length
    return bytes
  },
  async *talk(texts) {
    for await (const text of texts) yield text.toUpperCase()
  },
})

/** A gateway that believes every credential. */
function listen(url: string): Promise<Listener> {
  const wheel = new TimerWheel(systemClock)
  const dispatcher = createDispatcher([chatService], {
    instance: 'gateway',
    wheel,
    log: silentLog,
    middleware: [],
  })
  return listenWs(url, dispatcher, {
    limits: defaultLimits,
    clock: systemClock,
    authenticate: async (subject) => (subject ? { subject, claims: {} } : undefined),
  })
}

async function freeUrl(): Promise<string> {
  return `ws://127.0.0.1:${await freePort()}/rpc`
}

/** A client and all that it told of its connection. */
function connect(
  url: string,
  credential?: () => Promise<string>,
  time: Pick<WebClientOptions, 'clock' | 'random'> = {},
) {
  const told: { state: LinkState; info: LinkInfo }[] = []
  const link = createWebClient({
    url,
    ...time,
    ...(credential && { credential }),
    onState: (state, info) => void told.push({ state, info }),
  })
  const states = () => told.map(({ state }) => state)
  return { link, told, states, api: link.client(chat) }
}

function inState(link: WebClient, state: LinkState): Promise<void> {
  return until(() => link.state === state, `the link is ${state}`)
}

test('it connects by itself, tells so, and carries calls', async () => {
  const url = await freeUrl()
  await using _ = await listen(url)
  const { link, states, api } = connect(url)
  await using __ = link
  assert.equal(link.state, 'connecting')
  assert.equal(await api.me(), 'nobody')
  assert.equal(link.state, 'open')
  assert.deepEqual(states(), ['connecting', 'open'])
})

test('it carries streams both ways, from what a browser has', async () => {
  const url = await freeUrl()
  await using _ = await listen(url)
  const { link, api } = connect(url)
  await using __ = link
  const pieces = Array.from({ length: 40 }, () => new Uint8Array(50_000))
  assert.equal(await api.upload(new Blob(pieces).stream()), 2_000_000)
  assert.deepEqual(await Array.fromAsync(api.talk(['a', 'b'])), ['A', 'B'])
  const failure = new Error('the file is gone')
  const failing = new ReadableStream({ pull: () => Promise.reject(failure) })
  await assert.rejects(api.upload(failing), (error) => error === failure)
})

test('a connection that breaks is told with its reason and the next try, and opened again', async () => {
  const url = await freeUrl()
  const first = await listen(url)
  const { link, told, states, api } = connect(url)
  await using _ = link
  await inState(link, 'open')
  const hanging = api.hang().catch((error: CoveyError) => error.code)
  await until(async () => (await api.me()) === 'nobody', 'the call before it was sent')
  await first.close()
  assert.equal(await hanging, 'CONNECTION_LOST')
  await until(() => states().includes('waiting'), 'the loss was told')
  const { info } = told.find(({ state }) => state === 'waiting')!
  assert.equal(info.error?.code, 'CONNECTION_LOST')
  assert.ok(info.retryInMs! >= 0 && info.retryInMs! <= 100, `${info.retryInMs} ms`)
  const patient = api.me()
  await using __ = await listen(url)
  assert.equal(await patient, 'nobody')
  assert.deepEqual(
    [states().slice(0, 3), states().at(-1)],
    [['connecting', 'open', 'waiting'], 'open'],
  )
})

test('a call that may run twice is sent again when the gateway is back', async () => {
  const url = await freeUrl()
  const first = await listen(url)
  const { link, api } = connect(url)
  await using _ = link
  const answer = api.second()
  await until(() => asked === 1, 'it runs')
  await first.close()
  await inState(link, 'waiting')
  await using __ = await listen(url)
  assert.equal(await answer, 2)
})

test('a call waits for the connection until its deadline', async () => {
  const clock = new FakeClock()
  const { link, api } = connect('ws://127.0.0.1:1/rpc', () => new Promise(() => {}), { clock })
  await using _ = link
  const codes: string[] = []
  void api.me(undefined, { timeoutMs: 300 }).catch(({ code }: CoveyError) => codes.push(code))
  await clock.advance(299)
  assert.deepEqual(codes, [])
  await clock.advance(20)
  assert.deepEqual(codes, ['DEADLINE_EXCEEDED'])
})

test('pauses between tries double up to ten seconds, with jitter, and never end', async () => {
  const clock = new FakeClock()
  const atMs: number[] = []
  const offline = () => {
    atMs.push(clock.monotonicMs())
    return Promise.reject(new Error('offline'))
  }
  const { link, told } = connect('ws://127.0.0.1:1/rpc', offline, { clock, random: () => 0.5 })
  await using _ = link
  await clock.advance(60_000)
  const pauses = atMs.slice(1).map((ms, at) => ms - atMs[at]!)
  assert.deepEqual(pauses.slice(0, 9), [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
  const promised = told.flatMap(({ info }) => info.retryInMs ?? [])
  assert.deepEqual(promised.slice(0, pauses.length), pauses)
})

test('each connection asks for a credential of its own', async () => {
  const url = await freeUrl()
  const first = await listen(url)
  let tickets = 0
  const { link, api } = connect(url, async () => {
    tickets += 1
    return `ticket ${tickets}`
  })
  await using _ = link
  assert.equal(await api.me(), 'ticket 1')
  await first.close()
  await using __ = await listen(url)
  const last = await api.me()
  assert.equal(last, `ticket ${tickets}`)
  assert.notEqual(last, 'ticket 1')
})

test('a credential that cannot be had is why it waits', async () => {
  const loggedOut = new CoveyError('UNAUTHENTICATED', 'log in')
  const { link, told } = connect(await freeUrl(), () => Promise.reject(loggedOut))
  await using _ = link
  await inState(link, 'waiting')
  assert.deepEqual(
    told.slice(0, 2).map(({ state, info }) => [state, info.error]),
    [
      ['connecting', undefined],
      ['waiting', loggedOut],
    ],
  )
})

test('retryNow begins at once, and only where a try is waited for', async () => {
  let asked = 0
  let answer = Promise.withResolvers<string>()
  const { link, states } = connect(await freeUrl(), () => {
    asked += 1
    return answer.promise
  })
  await using _ = link
  await until(() => asked === 1, 'the first try')
  link.retryNow()
  assert.equal(asked, 1)
  const failed = answer
  answer = Promise.withResolvers()
  // Looked at in the turn in which it begins to wait, so that no timer can have run.
  const retried = failed.promise.catch(async () => {
    while (link.state !== 'waiting') await Promise.resolve()
    link.retryNow()
    return [asked, link.state]
  })
  failed.reject(new Error('offline'))
  assert.deepEqual(await retried, [2, 'connecting'])
  assert.deepEqual(states(), ['connecting', 'waiting', 'connecting'])
})

test('closing is told once, ends calls and connections, and is the last that is told', async () => {
  const url = await freeUrl()
  await using listener = await listen(url)
  const { link, states, api } = connect(url)
  await inState(link, 'open')
  const hanging = api.hang().catch((error: CoveyError) => error.code)
  await link.close()
  await link.close()
  assert.equal(await hanging, 'CANCELLED')
  await assert.rejects(api.me(), {
    code: 'UNAVAILABLE',
    message: 'gateway: the client is closed',
  })
  await until(() => listener.connections === 0, 'the gateway saw it')
  assert.deepEqual([link.state, states()], ['closed', ['connecting', 'open', 'closed']])
})

test('nothing is told after an end that came while it was connecting', async () => {
  const url = await freeUrl()
  await using listener = await listen(url)
  const ticket = Promise.withResolvers<string>()
  let asked = false
  const { link, states } = connect(url, () => {
    asked = true
    return ticket.promise
  })
  await until(() => asked, 'a credential was asked for')
  await link.close()
  ticket.resolve('late')
  const other = connect(url)
  await inState(other.link, 'open')
  await other.link.close()
  await until(() => listener.connections === 0, 'no connection is left')
  assert.deepEqual(states(), ['connecting', 'closed'])
})
