// Ten thousand strangers who trickle bytes at a server for TCP, for `make soak`: what it takes of memory, and whether
// others are served meanwhile.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../base/clock.ts'
import { freePort } from '../../testing/free-port.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits } from '../limits.ts'
import type { Connection } from '../transport.ts'
import { tcpTransport } from './tcp-transport.ts'

const script = fileURLToPath(new URL('../../testing/fixtures/three-listeners.ts', import.meta.url))
const strangers = 10_000
const mib = 1024 * 1024

/** Resident memory of a process, in bytes. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) * 1024
}

/** Opens so many sockets that send a byte now and then, 5,000 a second, and then 200 a second in place of those that were closed. */
function trickle(port: number, count: number): () => void {
  const sockets = new Set<Socket>()
  let opened = 0
  let stopped = false
  const open = () => {
    opened += 1
    const socket = connect(port, '127.0.0.1')
    sockets.add(socket)
    socket.on('error', () => {}).resume()
    socket.once('close', () => sockets.delete(socket))
  }
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('y')
    const most = opened < count ? 500 : 20
    for (let more = 0; more < most && sockets.size < count && !stopped; more++) open()
  }, 100)
  return () => {
    stopped = true
    clearInterval(timer)
    for (const socket of sockets) socket.destroy()
  }
}

test(`${strangers} strangers who trickle take less than 64 MiB, and others are served`, {
  timeout: 120_000,
  skip: process.platform !== 'linux',
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-slowloris-'))
  const ports = { port: await freePort(), httpPort: await freePort() }
  // V8's young generation grows under any load, by 60 MiB here, and says nothing of what strangers hold: it is kept small.
  const args = [
    '--max-semi-space-size=2',
    script,
    `${ports.port}`,
    `${ports.httpPort}`,
    join(folder, 's'),
  ]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  await once(child.stdout, 'data')
  child.stdout.resume()
  /** Both ways in, for a client that means it and tries again. */
  const served = async () => {
    let connection: Connection | undefined
    await until(
      async () => {
        connection = await tcpTransport
          .connect(`tcp://127.0.0.1:${ports.port}`, { limits: defaultLimits, clock: systemClock })
          .catch(() => undefined)
        return connection !== undefined
      },
      'a client over TCP gets in',
      20_000,
    )
    await connection!.close()
    await until(
      async () => {
        const url = `http://127.0.0.1:${ports.httpPort}/rpc/echo/none`
        const headers = { connection: 'close' }
        const answer = await fetch(url, { method: 'POST', headers }).catch(() => undefined)
        return answer?.status === 404
      },
      'a client over HTTP is answered',
      20_000,
    )
  }
  try {
    // What the first clients bring is no growth.
    for (let round = 0; round < 20; round++) await served()
    const base = await residentBytes(child.pid!)
    const stop = trickle(ports.port, strangers)
    let most = 0
    try {
      const endMs = performance.now() + 20_000
      while (performance.now() < endMs) {
        await served()
        most = Math.max(most, await residentBytes(child.pid!))
      }
    } finally {
      stop()
    }
    const grown = (most - base) / mib
    console.log(`${(base / mib).toFixed(0)} MiB, and ${grown.toFixed(1)} more`)
    assert.ok(grown < 64, `${grown.toFixed(1)} MiB`)
  } finally {
    child.kill('SIGKILL')
    await gone
    await rm(folder, { recursive: true })
  }
})
