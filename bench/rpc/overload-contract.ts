import { defineContract, unary } from 'covey'
import { z } from 'zod'

/** Time of the processor that a call takes, in milliseconds: 500 a second and no more. */
export const costMs = 2

/** Calls that use the processor. */
export const mill = defineContract('mill', {
  grind: unary({
    input: z.object({ id: z.number(), text: z.string() }),
    output: z.object({ id: z.number() }),
  }),
})
