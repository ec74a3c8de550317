import { CoveyError } from '../../error/covey-error.ts'

/**
 * A copy of a value, so that neither side sees what the other does to it later. It carries what MessagePack
 * carries and refuses what that refuses.
 * @throws CoveyError `UNENCODABLE`
 */
export function copyValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new CoveyError('UNENCODABLE', `a ${typeof value} cannot be sent`)
    }
    return value
  }
  try {
    return structuredClone(value)
  } catch (cause) {
    throw new CoveyError('UNENCODABLE', (cause as Error).message, { cause })
  }
}

/** The same for each element of a stream. */
export async function* copyEach(source: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const item of source) yield copyValue(item)
}
