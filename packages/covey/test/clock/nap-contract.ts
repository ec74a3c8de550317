import { z } from 'zod'
import { defineContract, unary } from '../../src/index.ts'

/** Calls that take their time. */
export const napper = defineContract('napper', {
  nap: unary({ input: z.number(), output: z.number() }),
})
