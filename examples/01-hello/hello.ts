import { createApp, createClient, defineContract, defineService, unary } from 'covey'
import { z } from 'zod'

const User = z.object({ id: z.string(), name: z.string() })
const UserId = z.object({ id: z.string() })
const users = defineContract('users', {
  get: unary({ input: UserId, output: User, errors: { USER_GONE: UserId } }),
})
const usersService = defineService(users, {
  async get({ id }, call) {
    if (id !== '7') throw call.error('USER_GONE', { id })
    return { id, name: 'Ada' }
  },
})
const app = createApp({ name: 'users', services: [usersService] })
await app.start()

const api = createClient(users) // in this process a direct call, from another one over TCP
console.log(await api.get({ id: '7' }))
await app.stop()
