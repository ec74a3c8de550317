import type { Person } from '../../../contracts/people.ts'
import { Avatar } from './avatar.tsx'
import { useChat, useChatState } from './chat-context.ts'

/** Who has refused a request, read out when it happens. */
export function RefusalList() {
  const refusals = useChatState((state) => state.refusals)
  return (
    <ul className="refusals" aria-label="Refused requests" aria-live="polite">
      {refusals.map((person) => (
        <RefusalRow key={person.id} person={person} />
      ))}
    </ul>
  )
}

function RefusalRow({ person }: { person: Person }) {
  const { contacts } = useChat()
  return (
    <li className="row">
      <Avatar person={person} size="small" />
      <span className="row-text">
        <span className="clip name">{person.nickname}</span>
        <span className="quiet">has refused your request</span>
      </span>
      <button
        type="button"
        className="link"
        aria-label={`Close: ${person.nickname} has refused your request`}
        onClick={() => contacts.dismissRefusal(person.id)}
      >
        Close
      </button>
    </li>
  )
}
