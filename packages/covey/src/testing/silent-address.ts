import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const script = `
require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
  process.stdout.write(String(this.address().port))
  process.kill(process.pid, 'SIGSTOP')
})`

/** An address at which nothing answers, not even with a refusal, as behind a firewall that drops packets. */
export interface SilentAddress extends AsyncDisposable {
  readonly address: string
}

/** Makes one: a listener that is stopped and whose queue of new connections is full, so that the system drops what comes. */
export async function silentAddress(): Promise<SilentAddress> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer]
  const port = Number(String(chunk))
  const queued: Socket[] = []
  // Linux takes one more than the backlog; the next one is not answered.
  for (let open = true; open && queued.length < 16; ) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    queued.push(socket)
    open = await Promise.race([once(socket, 'connect').then(() => true), later(200)])
  }
  return {
    address: `tcp://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of queued) socket.destroy()
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

function later(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms))
}
