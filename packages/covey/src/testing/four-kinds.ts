import { z } from 'zod'
import { defineContract } from '../contract/define-contract.ts'
import { clientStream, duplex, serverStream, unary } from '../contract/method.ts'

/** One method of each kind, that takes and gives anything: for tests of what carries them. */
export const fourKinds = defineContract('t', {
  ask: unary({ input: z.any(), output: z.any() }),
  items: serverStream({ output: z.any() }),
  upload: clientStream({ input: z.any(), output: z.any() }),
  talk: duplex({ input: z.any(), output: z.any() }),
})

export const { ask, items, upload, talk } = fourKinds.methods

/** All of them, in the order of their numbers on the wire. */
export const fourMethods = [ask, items, upload, talk]
