import { once } from 'node:events'
import type { Writable } from 'node:stream'

const flushMs = 2_000

/**
 * Writes a text and waits until there is room for more. False when nobody reads any longer, as in
 * `covey logs -f | head`: then it is time to end.
 */
export async function write(stream: Writable, text: string): Promise<boolean> {
  if (!stream.writable) return false
  try {
    if (!stream.write(text)) await once(stream, 'drain')
    return stream.writable
  } catch {
    return false
  }
}

/** Waits until all that was written is out, for two seconds at most. */
export async function flushOutput(stream: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (!stream.writable || stream.writableLength === 0) return
  stream.once('error', () => resolve())
  stream.write('', () => resolve())
  setTimeout(resolve, flushMs)
  await promise
}
