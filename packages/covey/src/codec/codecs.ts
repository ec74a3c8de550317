import type { Codec } from './codec.ts'
import { jsonCodec } from './json-codec.ts'
import { msgpackCodec } from './msgpack-codec.ts'

/** The codecs of this version, the preferred one first. */
export const codecs: readonly Codec[] = [msgpackCodec, jsonCodec]

/** The first codec that both sides have, or undefined. The order of `names` decides. */
export function chooseCodec(names: readonly unknown[]): Codec | undefined {
  for (const name of names) {
    const codec = codecs.find((candidate) => candidate.name === name)
    if (codec !== undefined) return codec
  }
  return undefined
}
