import { randomBytes as nodeRandomBytes } from 'node:crypto'

/** Where randomness comes from; the default is the secure source of the platform. */
export type RandomBytes = (size: number) => Buffer

export const secureRandomBytes: RandomBytes = (size) => nodeRandomBytes(size)

/** An id that is never made twice: a prefix and 128 random bits, as `u_3q2-…`. */
export function randomId(prefix: string, random: RandomBytes = secureRandomBytes): string {
  return `${prefix}_${random(16).toString('base64url')}`
}
