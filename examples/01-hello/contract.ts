import { defineContract, unary } from 'covey'
import { z } from 'zod'

export const users = defineContract('users', {
  get: unary({
    input: z.object({ id: z.string() }),
    output: z.object({ id: z.string(), name: z.string() }),
    errors: { USER_GONE: z.object({ id: z.string() }) },
    idempotent: true,
  }),
})
