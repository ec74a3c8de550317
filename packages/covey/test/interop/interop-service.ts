import { defineService, type Service } from '../../src/index.ts'
import { interop } from './interop-contract.ts'

/** Our own side of {@link interop}. */
export function interopService(): Service {
  const seen = { cancelled: 0, made: 0, noted: 0, reason: '' }
  let gate = Promise.withResolvers<void>()
  return defineService(interop, {
    echo: (input) => input,
    fail({ how }, call) {
      if (how === 'declared') throw call.error('GONE', { id: '7' })
      throw new Error('something of the inside')
    },
    describe: (_, call) => ({
      traceId: call.trace.traceId,
      tag: call.metadata.get('tag') ?? '',
      tenant: call.baggage.get('tenant') ?? '',
      leftMs: call.remainingMs(),
    }),
    hang: (_, call) =>
      new Promise<void>(() => {
        call.signal.addEventListener('abort', () => {
          seen.cancelled += 1
        })
      }),
    seen: () => seen,
    note() {
      seen.noted += 1
    },
    async later({ value }) {
      await new Promise((resolve) => setImmediate(resolve))
      return value
    },
    go: () => gate.resolve(),
    async *count({ to, pad }, call) {
      if (to < 0) throw call.error('GONE', { id: 'count' })
      for (let n = 1; n <= to; n++) {
        seen.made = n
        yield { n, pad: 'x'.repeat(pad) }
      }
    },
    async sum(numbers) {
      let sum = 0
      try {
        for await (const n of numbers) sum += n
      } catch (error) {
        seen.reason = (error as Error).message
        throw error
      }
      return sum
    },
    async slow(parts) {
      await gate.promise
      gate = Promise.withResolvers()
      let size = 0
      for await (const part of parts) size += part.length
      return size
    },
    async first(words) {
      for await (const word of words) return word
      return ''
    },
    async *talk(words) {
      for await (const word of words) yield word.toUpperCase()
      yield 'BYE'
    },
  }) as unknown as Service
}
