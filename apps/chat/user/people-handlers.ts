import type { Handlers } from 'covey'
import type { Relation } from '../contracts/people.ts'
import type { users } from '../contracts/users.ts'
import { fold } from './fold.ts'
import type { UserDatabase } from './user-database.ts'

const maxFound = 20

type UserHandlers = Handlers<(typeof users)['methods']>

/** Looking people up, of the contract `users`. */
export function peopleHandlers(database: UserDatabase): Pick<UserHandlers, 'get' | 'find'> {
  const { queries } = database
  return {
    get: ({ ids }) => queries.people.all({ ids: JSON.stringify(ids) }),

    find({ askerId, text }) {
      const rows = queries.findPeople.all({ askerId, text: fold(text), limit: maxFound })
      return rows.map(({ id, username, nickname, isSelf, isFriend, requestFrom }) => {
        const relation = relationOf({ isSelf, isFriend, requestFrom, askerId })
        return { id, username, nickname, relation }
      })
    },
  }
}

function relationOf(found: {
  isSelf: 0 | 1
  isFriend: 0 | 1
  requestFrom: string | null
  askerId: string
}): Relation {
  if (found.isSelf) return 'self'
  if (found.isFriend) return 'friend'
  if (found.requestFrom === null) return 'none'
  return found.requestFrom === found.askerId ? 'requested' : 'asking'
}
