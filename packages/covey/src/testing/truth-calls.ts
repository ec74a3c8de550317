import type { Client } from '../contract/client.ts'
import type { truth } from './fixtures/truth-contract.ts'
import type { WitnessedCall } from './truth-ledger.ts'

type Api = Client<typeof truth>

/** How a planned call asks. */
interface Wishes {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  readonly metadata?: Record<string, string>
  readonly hedge?: { readonly afterMs: number }
}

/** How long a caller waits for a call to be accepted that it does not wait for; its `timeoutMs` is for the work. */
const acceptMs = 5_000

/** How often a call that may run more than once is sent at most. */
const attempts = 3

/** Makes one call and says what was wrong about its answer. */
type Ask = (api: Api, number: number, wishes: Wishes) => Promise<string | undefined>

/**
 * Plans call `number`: which kind, how large, how long it takes, how long it may take, whether it is cancelled. Everything
 * is drawn from `random`.
 */
export function planCall(api: Api, number: number, random: () => number): WitnessedCall {
  const ask = pickAsk(random)
  const roll = random()
  const timeoutMs = roll < 0.03 ? 1 + random() * 15 : roll < 0.1 ? 20 + random() * 100 : 600
  const cancelMs = random() < 0.03 ? random() * 30 : undefined
  const unwaited = ask === notify || ask === submit
  return {
    number,
    what: ask.name,
    timeoutMs: unwaited ? acceptMs + timeoutMs : timeoutMs,
    maxRuns: repeatable.includes(ask.name) ? attempts : 1,
    async run() {
      if (cancelMs === undefined) return ask(api, number, { timeoutMs })
      const abort = new AbortController()
      const timer = setTimeout(() => abort.abort(), cancelMs)
      try {
        return await ask(api, number, { timeoutMs, signal: abort.signal })
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

/** Plans a call with 10 to 30 KB of text, which takes its time. */
export function planLargeCall(api: Api, number: number, random: () => number): WitnessedCall {
  const ask = echo({ repeat: 2_000 + random() * 3_000, waitMs: Math.ceil(random() * 20) })
  return { number, timeoutMs: 600, run: () => ask(api, number, { timeoutMs: 600 }) }
}

/** Names of those that may run more than once. */
const repeatable = ['asked', 'hedged', 'told']

function pickAsk(random: () => number): Ask {
  const roll = random()
  if (roll < 0.46) return echo({})
  if (roll < 0.56) return ask({})
  if (roll < 0.58) return ask({ waitMs: Math.ceil(random() * 40) })
  if (roll < 0.64) return hedged({ waitMs: Math.floor(random() * 20) })
  if (roll < 0.66) return tell(Math.ceil(random() * 20))
  if (roll < 0.72) return echo({ waitMs: Math.ceil(random() * 40) })
  if (roll < 0.76) return echo({ repeat: Math.ceil(random() * 8_000) })
  if (roll < 0.8) return fail
  if (roll < 0.82) return notify
  if (roll < 0.84) return submit
  const size = Math.ceil(random() * 20)
  const slow = random() < 0.1
  if (roll < 0.9) return count(size, slow)
  return roll < 0.95 ? sum(size, slow) : mirror(size, slow)
}

function echo({ waitMs, repeat }: { waitMs?: number; repeat?: number }): Ask {
  return async function echoed(api, number, wishes) {
    const text = repeat === undefined ? undefined : `${number} `.repeat(repeat)
    const answer = await api.echo({ number, waitMs, text }, wishes)
    if (answer.number !== number) return `the answer of ${answer.number}`
    return answer.text === text ? undefined : 'another text'
  }
}

function ask({ waitMs }: { waitMs?: number }): Ask {
  return async function asked(api, number, wishes) {
    const answer = await api.ask({ number, waitMs }, wishes)
    return answer.number === number ? undefined : `the answer of ${answer.number}`
  }
}

/** Some take longer than the time behind which another instance is asked as well, and some do not. */
function hedged({ waitMs }: { waitMs: number }): Ask {
  return async function hedged(api, number, wishes) {
    const answer = await api.ask({ number, waitMs }, { ...wishes, hedge: { afterMs: 15 } })
    return answer.number === number ? undefined : `the answer of ${answer.number}`
  }
}

function tell(to: number): Ask {
  return function told(api, number, wishes) {
    return compare(api.tell({ number, to }, wishes), number, to, false)
  }
}

async function fail(api: Api, number: number, wishes: Wishes): Promise<string | undefined> {
  try {
    await api.fail({ number }, wishes)
  } catch (error) {
    if (!api.fail.isError(error, 'BROKEN')) throw error
    return error.details.number === number ? undefined : `the error of ${error.details.number}`
  }
  return 'an answer where there is none'
}

function count(to: number, slow: boolean): Ask {
  return function counted(api, number, wishes) {
    return compare(api.count({ number, to }, wishes), number, to, slow)
  }
}

/** Every piece, each once, in order, of this call alone, and no end before the last. */
async function compare(
  pieces: AsyncIterable<{ number: number; place: number }>,
  number: number,
  expected: number,
  slow: boolean,
): Promise<string | undefined> {
  let next = 0
  for await (const piece of pieces) {
    if (piece.number !== number) return `a piece of ${piece.number}`
    if (piece.place !== next) return `piece ${piece.place} where ${next} should be`
    next += 1
    if (slow) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return next === expected ? undefined : `${next} of ${expected} pieces`
}

/** Accepted means that it has begun. */
async function notify(api: Api, number: number, wishes: Wishes): Promise<undefined> {
  await api.echo.notify({ number }, wishes)
}

/** Accepted means that it has begun; its result may be lost with its instance, but not be another one. */
async function submit(api: Api, number: number, wishes: Wishes): Promise<string | undefined> {
  const ticket = await api.echo.submit({ number }, wishes)
  try {
    const answer = await ticket.result({ timeoutMs: wishes.timeoutMs / 2 })
    return answer.number === number ? undefined : `the result of ${answer.number}`
  } catch {
    return undefined
  }
}

function sum(size: number, slow: boolean): Ask {
  return async function summed(api, number, wishes) {
    const answer = await api.sum(pieces(number, size, slow), numbered(number, wishes))
    if (answer.number !== number) return `the answer of ${answer.number}`
    return answer.pieces === size ? undefined : `${answer.pieces} of ${size} pieces arrived`
  }
}

function mirror(size: number, slow: boolean): Ask {
  return function mirrored(api, number, wishes) {
    const answers = api.mirror(pieces(number, size, false), numbered(number, wishes))
    return compare(answers, number, size, slow)
  }
}

async function* pieces(number: number, size: number, slow: boolean) {
  for (let place = 0; place < size; place++) {
    if (slow) await new Promise((resolve) => setTimeout(resolve, 2))
    yield { number, place }
  }
}

function numbered(number: number, wishes: Wishes): Wishes {
  return { ...wishes, metadata: { number: String(number) } }
}
