import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { systemClock } from '../../base/clock.ts'
import { TimerWheel } from '../../base/timer-wheel.ts'
import { currentCall } from '../../call/call-storage.ts'
import { compose } from '../../call/handler.ts'
import type { Client } from '../../contract/client.ts'
import { defineContract } from '../../contract/define-contract.ts'
import { defineService } from '../../contract/define-service.ts'
import { unary } from '../../contract/method.ts'
import { clientStack } from '../../rpc/client-stack.ts'
import { contractClient } from '../../rpc/contract-client.ts'
import { createDispatcher } from '../../rpc/dispatcher.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import { defaultLimits } from '../limits.ts'
import { tcpTransport } from './tcp-transport.ts'

const files = defineContract('files', {
  read: unary({
    input: z.object({ size: z.number(), fill: z.number() }),
    output: z.object({ size: z.number(), bytes: z.instanceof(Uint8Array) }),
  }),
})

const filesService = defineService(files, {
  async read({ size, fill }) {
    return { size, bytes: new Uint8Array(size).fill(fill) }
  },
})

test('what an answer brought stays as it is when others are read into the same memory', async () => {
  const wheel = new TimerWheel(systemClock)
  const log = new RecordingLog()
  const options = { limits: defaultLimits, clock: systemClock }
  const stack = { instance: 'i', wheel, log, middleware: [] }
  await using listener = await tcpTransport.listen(
    'tcp://127.0.0.1:0',
    createDispatcher([filesService], stack),
    options,
  )
  await using first = await tcpTransport.connect(listener.address, options)
  await using second = await tcpTransport.connect(listener.address, options)
  const apis = [first, second].map((connection) =>
    contractClient(files, {
      clock: systemClock,
      invoke: compose(clientStack({ wheel, middleware: [] }), connection.invoke),
      currentCall,
    }),
  )
  const sizes = [0, 1, 100, 15_000, 16_384, 40_000, 150_000, 200_000, 300_000, 1_000_000]
  const asked = Array.from({ length: 150 }, (_, n) => ({ size: sizes[n % sizes.length]!, fill: n }))
  const answers: Awaited<ReturnType<Client<typeof files>['read']>>[] = []
  // Half of them two at a time, half alone: what comes in one piece is what might be kept as it lies there.
  for (let n = 0; n < 50; n += 2) {
    const both = [apis[0]!.read(asked[n]!), apis[1]!.read(asked[n + 1]!)]
    answers.push(...(await Promise.all(both)))
  }
  for (const [n, one] of asked.slice(50).entries()) answers.push(await apis[n % 2]!.read(one))
  for (const [n, { size, bytes }] of answers.entries()) {
    assert.equal(bytes.length, size)
    assert.ok(
      bytes.every((byte) => byte === n),
      `answer ${n} of ${size} bytes`,
    )
  }
})
