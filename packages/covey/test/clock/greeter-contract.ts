import { z } from 'zod'
import { defineContract, unary } from '../../src/index.ts'

/** What a process under test answers. */
export const greeter = defineContract('greeter', { hello: unary({ output: z.string() }) })
