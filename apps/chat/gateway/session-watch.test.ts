import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from 'covey'
import { startUserService } from '../testing/user-service.ts'
import { SessionWatch } from './session-watch.ts'

async function setUp(t: TestContext) {
  const users = await startUserService(t)
  const here = new Set<string>()
  const cut: string[] = []
  const watch = new SessionWatch({
    users: users.api,
    sessionIds: () => here,
    cut(sessionId, reason) {
      assert.equal(reason.code, 'UNAUTHENTICATED')
      here.delete(sessionId)
      cut.push(sessionId)
    },
    checkMs: 3_000,
    clock: users.clock,
    log: silentLog,
  })
  watch.start()
  t.after(() => watch.stop())
  return { ...users, here, cut, watch }
}

test('a session that ended elsewhere is cut off within five seconds, others stay', async (t) => {
  const { register, api, here, cut, clock } = await setUp(t)
  const [ann, bob] = [await register('ann'), await register('bob')]
  here.add(ann.sessionId).add(bob.sessionId)
  await clock.advance(10_000)
  assert.deepEqual(cut, [])
  await api.logOut({ token: ann.token })
  await clock.advance(5_000)
  assert.deepEqual(cut, [ann.sessionId])
})

test('a session that is too old is cut off', async (t) => {
  const { register, here, cut, clock } = await setUp(t)
  const { sessionId } = await register('ann')
  here.add(sessionId)
  const wallMs = clock.wallMs.bind(clock)
  clock.wallMs = () => wallMs() + 31 * 24 * 60 * 60 * 1_000
  await clock.advance(5_000)
  assert.deepEqual(cut, [sessionId])
})

test('while the user service is away nobody is cut off, and then it goes on', async (t) => {
  const { register, api, server, here, cut, clock } = await setUp(t)
  const { token, sessionId } = await register('ann')
  here.add(sessionId)
  await api.logOut({ token })
  await server.kill()
  await clock.advance(60_000)
  assert.deepEqual(cut, [])
  server.restart()
  await clock.advance(5_000)
  assert.deepEqual(cut, [sessionId])
})

test('a session that was ended here is known to have ended', async (t) => {
  const { watch, cut } = await setUp(t)
  watch.requireLive('s_1')
  watch.end('s_1')
  assert.deepEqual(cut, ['s_1'])
  assert.throws(() => watch.requireLive('s_1'), { code: 'UNAUTHENTICATED' })
  watch.requireLive('s_2')
})
