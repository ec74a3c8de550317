import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPayload, type Payload } from './payload.ts'
import { spread } from './spread.ts'

test('calls go to the clients in turn, and closing closes all of them', async () => {
  const calls = [0, 0, 0]
  let opened = 0
  let closed = 0
  const client = await spread(3, async () => {
    const number = opened++
    return {
      echo: async (payload: Payload) => {
        calls[number]!++
        return payload
      },
      close: async () => {
        closed++
      },
    }
  })
  for (let id = 0; id < 6; id++) await client.echo!(createPayload(id))
  assert.deepEqual(calls, [2, 2, 2])
  assert.equal(client.echoList, undefined)
  await client.close()
  assert.equal(closed, 3)
})
