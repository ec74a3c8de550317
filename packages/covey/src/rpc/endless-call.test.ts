import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { createApp } from '../app/create-app.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { serverStream, unary } from '../contract/method.ts'
import { plain } from '../contract/plain.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'

const patient = defineContract('patient', {
  /** Ends with its call. */
  wait: unary({ output: plain<void>() }),
  /** Tells how much time it has. */
  left: serverStream({ output: plain<string>() }),
})

test('a call that asks for no end is ended by the server, over TCP and HTTP; a stream is not', async () => {
  await using server = createApp({
    name: 'patient',
    services: [
      defineService(patient, {
        async wait(_, { signal }) {
          await once(signal, 'abort')
        },
        async *left(_, call) {
          yield String(call.deadlineMs)
        },
      }),
    ],
    runtime: createRuntime({ registry: 'memory:', limits: { maxDeadlineMs: 100 } }),
    overrides: { covey: { port: 0, logLevel: 'silent', drainWaitMs: 0, http: { port: 0 } } },
    ownsProcess: false,
  })
  await server.start()
  await using runtime = createRuntime({ registry: 'memory:' })
  const timeoutMs = Number.POSITIVE_INFINITY
  const { addresses } = server.instance
  assert.equal(addresses.length, 2)
  for (const target of addresses) {
    const api = createClient(patient, { target, runtime })
    await assert.rejects(api.wait(undefined, { timeoutMs }), { code: 'DEADLINE_EXCEEDED' })
    for await (const left of api.left()) assert.equal(left, 'Infinity')
  }
})
