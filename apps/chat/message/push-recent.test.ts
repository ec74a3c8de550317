import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from 'covey'
import { ann, bob, startMessageService } from '../testing/message-service.ts'
import { pushRecent } from './push-recent.ts'

test('at the start young messages are pushed once more, in order, to all members', async (t) => {
  const { api, send, database, clock, pushes } = await startMessageService(t)
  const { id } = await api.openDirect({ userId: ann, friendId: bob })
  await send(id, ann, 'old')
  await clock.advance(60_001)
  const young = [await send(id, ann, 'young'), await send(id, bob, 'younger')]
  pushes.all.length = 0
  pushRecent({ database, push: pushes.push, clock, log: silentLog }, 60_000)
  for (const member of [ann, bob]) {
    assert.deepEqual(
      pushes.to(member),
      young.map((message) => ({ type: 'message', message })),
    )
  }
})

test('an empty database has nothing to push', async (t) => {
  const { database, clock, pushes } = await startMessageService(t)
  pushRecent({ database, push: pushes.push, clock, log: silentLog }, 60_000)
  assert.deepEqual(pushes.all, [])
})
