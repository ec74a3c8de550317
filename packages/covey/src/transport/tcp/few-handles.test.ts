import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../base/clock.ts'
import { cpuMs } from '../../testing/cpu-ms.ts'
import { freePort } from '../../testing/free-port.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits } from '../limits.ts'
import type { Connection } from '../transport.ts'
import { tcpTransport } from './tcp-transport.ts'

const script = fileURLToPath(new URL('../../testing/fixtures/three-listeners.ts', import.meta.url))

/** A process that may open 64 files, with three listeners. */
async function start(folder: string) {
  const [port, httpPort, path] = [await freePort(), await freePort(), join(folder, 's')]
  const command = `ulimit -n 64; exec "${process.execPath}" "${script}" ${port} ${httpPort} "${path}"`
  const child = spawn('bash', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  const said: unknown[] = []
  let rest = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop()!
    said.push(...lines.map((line) => JSON.parse(line) as unknown))
  })
  await until(() => said.length === 1, 'it is ready', 10_000)
  return {
    port,
    httpPort,
    path,
    pid: child.pid!,
    /** How many of five files it can open, and how often it warned. */
    async ask(): Promise<unknown> {
      const before = said.length
      child.stdin.write('\n')
      await until(() => said.length > before, 'it answers')
      return said.at(-1)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** Sockets that stay open: halves of a head, silence, and connections that are in use. */
async function flood(targets: readonly { port?: number; path?: string }[]): Promise<Socket[]> {
  const sockets = targets.map((target) => {
    const socket = connect({ ...target, host: '127.0.0.1' } as { path: string })
    socket.on('error', () => {}).resume()
    socket.write('P')
    return socket
  })
  await Promise.all(sockets.map((socket) => once(socket, 'connect').catch(() => {})))
  return sockets
}

const stillOpen = (sockets: readonly Socket[]) =>
  sockets.filter(({ readyState }) => readyState === 'open').length

test('all listeners together leave a process the handles that it needs for files, and take connections again', {
  timeout: 30_000,
  skip: process.platform !== 'linux',
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-handles-'))
  try {
    await using server = await start(folder)
    const { port, httpPort, path } = server
    const many = <T>(target: T) => Array.from({ length: 80 }, () => target)
    const sockets: Socket[] = []
    for (const target of [{ port }, { port: httpPort }, { path }]) {
      sockets.push(...(await flood(many(target))))
    }
    await until(() => stillOpen(sockets) < 64, 'those beyond the handles were closed')
    assert.ok(stillOpen(sockets) >= 10, `${stillOpen(sockets)} of ${sockets.length} were taken`)
    assert.deepEqual(await server.ask(), { opened: 5, warnings: 1 })
    const busyMs = await cpuMs(server.pid, 500)
    assert.ok(busyMs < 250, `${busyMs} ms of 500 on the processor`)
    for (const socket of sockets) socket.destroy()
    for (const address of [`tcp://127.0.0.1:${port}`, `unix:${path}`]) {
      let late: Connection | undefined
      await until(async () => {
        late = await dial(address).catch(() => undefined)
        return late !== undefined
      }, `${address} takes connections again`)
      await late!.close()
    }
    const health = await fetch(`http://127.0.0.1:${httpPort}/rpc/echo/none`, { method: 'POST' })
    assert.equal(health.status, 404)
    assert.deepEqual(await server.ask(), { opened: 5, warnings: 1 })
  } finally {
    await rm(folder, { recursive: true })
  }
})

function dial(address: string): Promise<Connection> {
  return tcpTransport.connect(address, { limits: defaultLimits, clock: systemClock })
}
