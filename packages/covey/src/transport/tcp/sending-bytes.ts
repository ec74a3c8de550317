import type { Duplex } from 'node:stream'

/**
 * Bytes of the write that is under way which the system has not taken; undefined where this version of Node does not say.
 * `writableLength` counts all writes that wait as one, which may be a hundred megabytes, until the last byte of it has left. Node goes by
 * this number itself to tell a slow peer from one that stands still (`Socket.setTimeout`), and has no other way to it.
 */
export function sendingBytes(socket: Duplex): number | undefined {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null }
  return handle?.writeQueueSize
}
