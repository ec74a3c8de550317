import { createApp, defineService } from 'covey'
import { users } from './contract.ts'

const usersService = defineService(users, {
  async get({ id }, call) {
    if (id !== '7') throw call.error('USER_GONE', { id })
    return { id, name: 'Ada' }
  },
})

const app = createApp({ name: 'users', services: [usersService] })
await app.start()
