import type { CoveyError } from '../../error/covey-error.ts'
import { limitOpening, unreachable } from '../limit-opening.ts'
import { connectSession } from '../session/connect-session.ts'
import type { Pipe, PipeEvents } from '../session/pipe.ts'
import type { Connection, ConnectOptions } from '../transport.ts'
import { maxMessageBytes, subprotocol } from './wire.ts'

/**
 * Connects to `ws://host:port/path` with the platform's own WebSocket, in a browser or in Node, and shakes hands.
 * @throws CoveyError `UNAVAILABLE` with the reason, within `connectMs` + `handshakeMs`
 */
export async function connectWs(address: string, options: ConnectOptions): Promise<Connection> {
  const socket = await openSocket(address, options)
  return connectSession(webSocketPipe(socket, address), options)
}

function openSocket(address: string, options: ConnectOptions): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const fail = (error: CoveyError) => {
      settle()
      socket.close()
      reject(error)
    }
    const limit = limitOpening(address, options, fail)
    const onOpen = () => {
      settle()
      resolve(socket)
    }
    // Browsers do not say why, on purpose.
    const onError = () => fail(unreachable(address, 'cannot be reached, or refuses this page'))
    const settle = () => {
      limit.stop()
      socket.removeEventListener('open', onOpen)
      socket.removeEventListener('error', onError)
      socket.removeEventListener('close', onError)
    }
    const socket = new WebSocket(address, subprotocol)
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('open', onOpen)
    socket.addEventListener('error', onError)
    socket.addEventListener('close', onError)
  })
}

/** A WebSocket that is open, as a pipe. A page cannot hold a peer back, so pausing does nothing. */
function webSocketPipe(socket: WebSocket, address: string): Pipe {
  return {
    protocol: 'ws',
    address,
    get queuedBytes() {
      return socket.bufferedAmount
    },
    open: (events) => listen(socket, events),
    write(bytes) {
      if (socket.readyState === socket.OPEN) sendMessages(socket, bytes)
      return true
    },
    pause() {},
    resume() {},
    hold() {},
    end: () => socket.close(1000),
    destroy: () => socket.close(),
    soon: (run) => queueMicrotask(run),
  }
}

/** In pieces: the server takes messages of a frame or two, and what is written at once may be many frames. */
function sendMessages(socket: WebSocket, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += maxMessageBytes) {
    // A copy: the types of a browser refuse memory that another thread might share.
    socket.send(new Uint8Array(bytes.subarray(at, at + maxMessageBytes)))
  }
}

function listen(socket: WebSocket, events: PipeEvents): void {
  socket.addEventListener('message', ({ data }) => {
    if (data instanceof ArrayBuffer) events.data(new Uint8Array(data))
    else socket.close(1003)
  })
  socket.addEventListener('close', ({ code, reason }) => {
    events.closed(new Error(`the WebSocket was closed with ${code}${reason && `: ${reason}`}`))
  })
}
