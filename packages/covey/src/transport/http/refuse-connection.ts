import type { Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'

/** Connections that may be refused in words at once; any more are closed, for words take a handle and a moment. */
const maxAtOnce = 32

/** Time for a client to read them, in milliseconds. */
const readMs = 1_000

const answer = [
  'HTTP/1.1 429 Too Many Requests',
  'retry-after: 1',
  'connection: close',
  'content-length: 0',
  '',
  '',
].join('\r\n')

/** @returns what refuses a connection, before anything of it is read, with status 429 where that is cheap */
export function refuseConnection(clock: Clock): (socket: Socket) => void {
  let telling = 0
  return (socket) => {
    if (telling >= maxAtOnce) return void socket.destroy()
    telling += 1
    const timer = clock.after(readMs, () => socket.destroy())
    socket.on('error', () => {})
    socket.once('close', () => {
      telling -= 1
      timer.stop()
    })
    // What is not read would have the system throw the answer away.
    socket.resume()
    socket.end(answer)
  }
}
