import { createClient } from 'covey'
import { users } from './contract.ts'

const api = createClient(users)

console.log(await api.get({ id: '7' }))
try {
  await api.get({ id: '8' })
} catch (error) {
  if (!api.get.isError(error, 'USER_GONE')) throw error
  console.log(`user ${error.details.id} is gone`)
}
