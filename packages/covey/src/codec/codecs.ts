import type { Codec } from './codec.ts'
import { jsonCodec } from './json-codec.ts'
import { msgpackCodec } from './msgpack-codec.ts'
import { shapesCodec } from './shapes-codec.ts'

/** The codecs of this version, the preferred one first. */
export const codecs: readonly Codec[] = [shapesCodec, msgpackCodec, jsonCodec]

/**
 * The first codec that both sides have, or undefined. The order of `names` decides.
 * @param version of the protocol on this connection; codecs with a state are from 2 on
 */
export function chooseCodec(names: readonly unknown[], version: number): Codec | undefined {
  for (const name of names) {
    const codec = codecs.find((candidate) => candidate.name === name)
    if (codec !== undefined && (version > 1 || codec.open === undefined)) return codec
  }
  return undefined
}
