import { z } from 'zod'
import { clientStream, defineContract, duplex, serverStream, unary } from '../../src/index.ts'

const gone = { GONE: z.object({ id: z.string() }) }

/** What both sides of the tests with foreign peers serve; `covey_server.py` has the same. */
export const interop = defineContract('interop', {
  echo: unary({ input: z.any(), output: z.any(), idempotent: true }),
  fail: unary({ input: z.object({ how: z.string() }), errors: gone }),
  describe: unary({
    output: z.object({
      traceId: z.string(),
      tag: z.string(),
      tenant: z.string(),
      leftMs: z.number(),
    }),
  }),
  /** Answers never; counts when it is cancelled. */
  hang: unary({ timeoutMs: 60_000 }),
  /** What the other methods noted. */
  seen: unary({
    output: z.object({
      cancelled: z.number(),
      made: z.number(),
      noted: z.number(),
      reason: z.string(),
    }),
  }),
  note: unary({ input: z.object({ text: z.string() }) }),
  later: unary({ input: z.object({ value: z.number() }), output: z.number() }),
  /** Lets `slow` begin to read. */
  go: unary(),
  count: serverStream({
    input: z.object({ to: z.number(), pad: z.number() }),
    output: z.object({ n: z.number(), pad: z.string() }),
    errors: gone,
  }),
  sum: clientStream({ input: z.number(), output: z.number() }),
  /** Adds up the sizes of what is sent, once `go` was called. */
  slow: clientStream({ input: z.instanceof(Uint8Array), output: z.number() }),
  /** Answers with the first element without waiting for others. */
  first: clientStream({ input: z.string(), output: z.string() }),
  /** Says each word louder, and BYE at the end. */
  talk: duplex({ input: z.string(), output: z.string() }),
})
