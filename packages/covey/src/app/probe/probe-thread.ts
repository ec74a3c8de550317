/**
 * The thread that answers probes while the thread of the application may be blocked. It is a program of its own, started by
 * `openProbe` with {@link ProbeThreadData}; it says `{ address }` or `{ error }` and runs until it is terminated.
 */
import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../base/clock.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { instanceName } from '../../observe/log-line.ts'
import { createRenderer } from '../../observe/render-line.ts'
import { httpUrl } from '../../transport/http/wire.ts'
import { bind } from '../../transport/tcp/bind.ts'
import { LoopWatch } from './loop-watch.ts'
import { probeAnswer } from './probe-answer.ts'
import { ProbeBoard } from './probe-board.ts'
import {
  lookMs,
  type ProbeThreadData,
  type ProbeThreadStart,
  reportedMs,
} from './probe-thread-data.ts'

const { shared, app, host, port, blockedMs, deadMs, warn, color } = workerData as ProbeThreadData
const board = new ProbeBoard(shared)
const watch = new LoopWatch(() => board.beats, systemClock)
let reported = false

/** Not imported: that would evaluate every export of `node:http`, its WebSocket client among them, which takes 11 MB. */
const { createServer } = process.getBuiltinModule('node:http')

/** Requests of strangers are short, and nobody asks twice in one second. */
const server = createServer(
  {
    maxHeaderSize: 4_096,
    headersTimeout: 2_000,
    requestTimeout: 2_000,
    connectionsCheckingInterval: 500,
  },
  (request, response) => {
    const { method = 'GET', url = '/' } = request
    const facts = { state: board.state, stalledMs: watch.stalledMs() }
    const { status, body } = probeAnswer(method, url.split('?', 1)[0]!, facts, {
      blockedMs,
      deadMs,
    })
    response.writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      connection: 'close',
    })
    response.end(`${body}\n`)
  },
)
server.maxConnections = 256

setInterval(look, lookMs)
parentPort!.postMessage(await start())

async function start(): Promise<ProbeThreadStart> {
  try {
    const address = await bind(server, { host, port }, httpUrl)
    // Errors of a listening socket (out of file handles) pass.
    server.on('error', () => {})
    return { address }
  } catch (error) {
    return { error: CoveyError.from(error).toData() }
  }
}

function look(): void {
  const stalledMs = watch.stalledMs()
  if (stalledMs < reportedMs) {
    reported = false
    return
  }
  board.leaveStall(stalledMs)
  if (reported || !warn) return
  reported = true
  const forMs = Math.round(stalledMs)
  const msg = `the event loop is blocked: no turn for ${forMs} ms`
  say(JSON.stringify({ level: 40, time: systemClock.wallMs(), app, forMs, msg }))
}

/** Straight to the file, for the streams of a thread go through the thread of the application. */
function say(text: string): void {
  try {
    writeSync(2, isatty(2) ? asShown(text) : `${text}\n`)
  } catch {
    // A pipe that nobody reads. There is no other place to tell it.
  }
}

function asShown(text: string): string {
  const source = { process: app, replica: 0 }
  const render = createRenderer({ color, names: new Map([[instanceName(source), app]]) })
  return render({ ...source, seq: 0, timeMs: systemClock.wallMs(), stream: 'stderr', text })
}
