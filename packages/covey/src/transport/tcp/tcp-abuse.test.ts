import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../base/clock.ts'
import { TimerWheel } from '../../base/timer-wheel.ts'
import { currentCall } from '../../call/call-storage.ts'
import { compose } from '../../call/handler.ts'
import { clientStack } from '../../rpc/client-stack.ts'
import { contractClient } from '../../rpc/contract-client.ts'
import { createDispatcher } from '../../rpc/dispatcher.ts'
import { cpuMs } from '../../testing/cpu-ms.ts'
import { echo } from '../../testing/fixtures/echo-contract.ts'
import { echoService } from '../../testing/fixtures/echo-service.ts'
import { freePort } from '../../testing/free-port.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import type { Connection, Listener } from '../transport.ts'
import { tcpTransport } from './tcp-transport.ts'

const clock = systemClock
const wheel = new TimerWheel(clock)

function apiOf(connection: Connection) {
  const invoke = compose(clientStack({ wheel, middleware: [] }), connection.invoke)
  return contractClient(echo, { clock, invoke, currentCall })
}

function dial(address: string): Promise<Connection> {
  return tcpTransport.connect(address, { limits: defaultLimits, clock })
}

async function serve(limits: Partial<Limits>, log = new RecordingLog()): Promise<Listener> {
  const stack = { instance: 'echo-1', wheel, log, middleware: [] }
  const options = { limits: { ...defaultLimits, ...limits }, clock, log }
  const address = `tcp://127.0.0.1:${await freePort()}`
  return tcpTransport.listen(address, createDispatcher([echoService], stack), options)
}

/** Opens sockets without saying anything; failures of single ones do not matter. */
async function flood(address: string, count: number): Promise<Socket[]> {
  const { hostname, port } = new URL(address)
  const sockets: Socket[] = []
  const opened: Promise<unknown>[] = []
  for (let index = 0; index < count; index++) {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    sockets.push(socket)
    opened.push(once(socket, 'connect').catch(() => {}))
  }
  await Promise.all(opened)
  return sockets
}

test('2,000 strangers who send a byte now and then keep nobody else out', {
  timeout: 30_000,
}, async () => {
  const log = new RecordingLog()
  await using listener = await serve({ handshakeMs: 2_000 }, log)
  await using before = await dial(listener.address)
  const strangers = await flood(listener.address, 2_000)
  const trickle = setInterval(() => {
    for (const socket of strangers) if (socket.writable) socket.write(new Uint8Array(1))
  }, 500)
  try {
    await until(() => listener.connections <= 257, 'no more than 256 are shaking hands')
    assert.equal(await apiOf(before).echo('served'), 'served')
    let connection: Connection | undefined
    await until(async () => {
      connection = await dial(listener.address).catch(() => undefined)
      return connection !== undefined
    }, 'a client that means it gets in')
    assert.equal(await apiOf(connection!).echo('new'), 'new')
    await until(() => listener.connections === 2, 'all strangers are gone')
    await connection!.close()
  } finally {
    clearInterval(trickle)
    for (const socket of strangers) socket.destroy()
  }
  const lines = log.messages('warn').filter((line) => line.includes('shaking hands'))
  // One in ten seconds, and the test may take some of those.
  assert.ok(lines.length >= 1 && lines.length <= 3, log.messages('warn').join('\n'))
})

test('a process without file handles refuses connections at rest, says so once and recovers', {
  timeout: 30_000,
}, async () => {
  const script = fileURLToPath(new URL('../../testing/fixtures/echo-server.ts', import.meta.url))
  const command = `ulimit -n 64; exec "${process.execPath}" "${script}" memory: 0 warn`
  const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  try {
    await until(() => output.includes('\n'), 'the server is ready', 10_000)
    const address = output.split('\n')[0]!
    await using early = await dial(address)
    const sockets = await flood(address, 100)
    let open = 0
    await until(() => {
      open = sockets.filter(({ readyState }) => readyState === 'open').length
      return open < 60
    }, 'those beyond the handles were closed')
    assert.ok(open >= 5, `${open} of 100 were taken`)
    const busyMs = await cpuMs(child.pid!, 500)
    assert.ok(busyMs < 250, `${busyMs} ms of 500 on the processor`)
    assert.equal(await apiOf(early).echo('served'), 'served')
    const warnings = output.split('\n').filter((line) => line.includes('connections are refused'))
    assert.equal(warnings.length, 1, output)
    for (const socket of sockets) socket.destroy()
    let late: Connection | undefined
    await until(async () => {
      late = await dial(address).catch(() => undefined)
      return late !== undefined
    }, 'it takes connections again')
    assert.equal(await apiOf(late!).echo('again'), 'again')
    await late!.close()
  } finally {
    child.kill('SIGKILL')
    await gone
  }
})
