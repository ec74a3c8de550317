import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { silentLog } from 'covey'
import { FakeClock, LocalService } from 'covey/testing'
import { PasswordHasher } from '../user/password-hasher.ts'
import { userSettings } from '../user/settings.ts'
import { openUserDatabase } from '../user/user-database.ts'
import { usersService } from '../user/users-service.ts'
import { defaultsOf } from './defaults-of.ts'
import { Pushes } from './pushes.ts'
import { tempFolder } from './temp-folder.ts'

/** Cheap hashes, so that a test registers people in a millisecond. */
function cheapHasher(): PasswordHasher {
  return new PasswordHasher({ random: randomBytes, cost: { logN: 4, r: 8, p: 1 } })
}

/** The user service on a database of its own, with what tests turn and look at. */
export async function startUserService(test: TestContext, clock = new FakeClock()) {
  const database = openUserDatabase(join(await tempFolder(test), 'user.db'), silentLog)
  test.after(() => database.close())
  const pushes = new Pushes()
  const server = new LocalService(
    usersService({
      database,
      clock,
      push: (userIds, event) => pushes.push(userIds, event),
      settings: defaultsOf(userSettings),
      hasher: cheapHasher(),
    }),
    { clock },
  )
  const api = server.client()

  /** Registers somebody; the nickname is the username with a capital. */
  async function register(name: string, nickname = name[0]!.toUpperCase() + name.slice(1)) {
    return api.register({ username: name, nickname, password: `secret of ${name}` })
  }

  async function befriend(a: string, b: string) {
    const request = await api.requestFriend({ fromId: a, toId: b, note: '' })
    await api.answerRequest({ userId: b, requestId: request.id, accept: true })
  }

  return { api, server, database, clock, pushes, register, befriend }
}
