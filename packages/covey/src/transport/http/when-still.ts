import type { Duplex } from 'node:stream'
import { afterReading } from '../../base/after-reading.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { sendingBytes } from '../tcp/sending-bytes.ts'

/** A body on its way: a request or an answer of `node:http`. */
export interface LeavingBody {
  /** Bytes that wait. */
  readonly writableLength: number
  readonly socket: Duplex | null
}

/** How long a peer may take nothing of what is written for it. */
export interface Patience {
  readonly clock: Clock
  /** Time in which something of what is queued has to leave, in milliseconds. */
  readonly slowReaderMs: number
  /** Nothing did. */
  onSlow(): void
}

/**
 * Watches whether a body leaves, and gives its peer up that has taken nothing for `slowReaderMs`, which is noticed within twice that time.
 * One that takes its time over a large body is let be.
 * @returns what ends the watch
 */
export function whenStill(body: LeavingBody, { clock, slowReaderMs, onSlow }: Patience): Timer {
  let waiting = body.writableLength
  let sending = sendingOf(body)
  const look = () => {
    const still = body.writableLength === waiting && sendingOf(body) === sending
    if (still) return onSlow()
    waiting = body.writableLength
    sending = sendingOf(body)
    timer = afterReading(clock, slowReaderMs, look)
  }
  let timer = afterReading(clock, slowReaderMs, look)
  return { stop: () => timer.stop() }
}

function sendingOf({ socket }: LeavingBody): number | undefined {
  return socket === null ? undefined : sendingBytes(socket)
}
