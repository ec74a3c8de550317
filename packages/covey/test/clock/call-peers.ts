// A process that serves calls and makes some to itself when it is told so: `node call-peers.ts <port>`. It writes what came of
// them, and at `time` how late it is.
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import {
  type CoveyError,
  createApp,
  createClient,
  createRuntime,
  defineService,
} from '../../src/index.ts'
import { napper } from './nap-contract.ts'

const [port] = process.argv.slice(2)

const app = createApp({
  name: 'napper',
  services: [
    defineService(napper, {
      async nap(ms) {
        await wait(ms)
        return ms
      },
    }),
  ],
  overrides: {
    covey: {
      registry: 'memory:',
      port: Number(port),
      drainWaitMs: 0,
      admission: { enabled: true },
    },
  },
})
await app.start()
const runtime = createRuntime({ registry: 'memory:' })
const { nap } = createClient(napper, { target: app.address, runtime })

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'time') process.stdout.write(`time: ${Date.now()}\n`)
  else process.stdout.write(`deadlines: ${JSON.stringify(await deadlines())}\n`)
}

/** How much later than asked for calls came to their end, in milliseconds, and how those ended that had the time. */
async function deadlines() {
  const late = Array.from({ length: 30 }, async (_, index) => {
    const timeoutMs = 100 * (index + 1)
    const startMs = performance.now()
    const code = await nap(60_000, { timeoutMs }).catch((error: CoveyError) => error.code)
    if (code !== 'DEADLINE_EXCEEDED') throw new Error(`${code}`)
    return performance.now() - startMs - timeoutMs
  })
  const slept = await nap(3_500, { timeoutMs: 30_000 })
  const all = await Promise.all(late)
  return { earliest: Math.min(...all), latest: Math.max(...all), slept }
}
