/**
 * `middleware-cost.ts <seconds>`: what middlewares of a server add to a call, in one process, where a call takes about
 * a few microseconds and no socket, kernel or placement of processes drowns the difference. The variants take turns in short
 * blocks, whose quicker ones count.
 */
import {
  createApp,
  createRuntime,
  defineContract,
  defineService,
  type Middleware,
  unary,
} from 'covey'
import { z } from 'zod'
import { endWithParent, report } from '../child.ts'
import { createPayload } from './payload.ts'

export interface MiddlewareFigures {
  /** A call without any, in µs. */
  noneUs: number
  /** Added by five that are on, each an async function that counts and awaits the next. */
  fiveOnUs: number
  /** Added by five that pass the call on without being async. */
  fivePassingUs: number
  /** Added by five that are off: they say so when the stack is made, by returning what they were to wrap. */
  fiveOffUs: number
}

const callsPerBlock = 500
/** The first turns compile and do not count. */
const warmUpTurns = 20
const leastTurns = 40

const Input = z.object({ id: z.number(), name: z.string() })
const echo = defineContract('echo', { echo: unary({ input: Input, output: Input }) })

let seen = 0
const on: Middleware = (next) => async (call) => {
  seen++
  return await next(call)
}
const passing: Middleware = (next) => (call) => {
  seen++
  return next(call)
}
const off: Middleware = (next) => next

const five = (middleware: Middleware) => Array.from({ length: 5 }, () => middleware)

if (import.meta.main) await main()

async function main(): Promise<void> {
  endWithParent()
  const figures = await measureMiddleware(Number(process.argv[2]))
  await report(figures)
  process.disconnect?.()
}

/** @param seconds how long to measure in all */
export async function measureMiddleware(seconds: number): Promise<MiddlewareFigures> {
  const lists = [[], five(on), five(passing), five(off)]
  const variants = await Promise.all(lists.map(start))
  const times: number[][] = variants.map(() => [])
  const startMs = performance.now()
  for (let turn = 0; turn < leastTurns || performance.now() < startMs + seconds * 1000; turn++) {
    for (let n = 0; n < variants.length; n++) {
      // Another one is first in each turn, and the garbage of each falls on another.
      const index = (turn + n) % variants.length
      const blockMs = await variants[index]!.block()
      if (turn >= warmUpTurns) times[index]!.push(blockMs)
    }
  }
  for (const { stop } of variants) await stop()
  if (seen === 0) throw new Error('no middleware was called')
  const [noneUs = 0, ...others] = times.map(microseconds)
  const [fiveOnUs, fivePassingUs, fiveOffUs] = others.map((us) => rounded(us - noneUs))
  return {
    noneUs: rounded(noneUs),
    fiveOnUs: fiveOnUs!,
    fivePassingUs: fivePassingUs!,
    fiveOffUs: fiveOffUs!,
  }
}

/** An application with a client of its own; a block gives the milliseconds that its calls took. */
async function start(middleware: readonly Middleware[]) {
  const runtime = createRuntime({ registry: 'memory:' })
  const service = defineService(echo, {
    async echo(input) {
      return input
    },
  })
  const overrides = { covey: { port: 0, logLevel: 'silent' } }
  const app = createApp({
    name: 'echo',
    services: [service],
    middleware,
    runtime,
    overrides,
    ownsProcess: false,
  })
  await app.start()
  const api = app.client(echo)
  const input = { id: 1, name: createPayload(1).name }
  return {
    async block(): Promise<number> {
      const startMs = performance.now()
      for (let n = 0; n < callsPerBlock; n++) await api.echo(input)
      return performance.now() - startMs
    },
    async stop(): Promise<void> {
      await app.stop()
      await runtime.close()
    },
  }
}

/**
 * Of one call, from the block that a tenth of them undercut: nothing makes a block faster than its code, while other work
 * on the machine makes many slower.
 */
function microseconds(blockMs: number[]): number {
  const quick = blockMs.toSorted((a, b) => a - b)[Math.floor(blockMs.length / 10)]!
  return (quick * 1000) / callsPerBlock
}

function rounded(us: number): number {
  return Number(us.toFixed(3))
}
