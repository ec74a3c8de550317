import { useId, useState } from 'react'
import type { FriendRequest } from '../../../contracts/people.ts'
import { Avatar } from './avatar.tsx'
import { useChat, useChatState } from './chat-context.ts'

/** People who ask to be friends. */
export function RequestList() {
  const requests = useChatState((state) => state.requests) ?? []
  const id = useId()
  return (
    <section aria-labelledby={id}>
      <header className="list-head">
        <h2 id={id}>Requests</h2>
        <span className="count">{requests.length}</span>
      </header>
      <ul aria-labelledby={id}>
        {requests.map((request) => (
          <RequestRow key={request.id} request={request} />
        ))}
      </ul>
    </section>
  )
}

function RequestRow({ request }: { request: FriendRequest }) {
  const { contacts } = useChat()
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const { from, id, note } = request

  const answer = async (accept: boolean) => {
    setBusy(true)
    setProblem(await contacts.answer(id, accept))
    setBusy(false)
  }

  return (
    <li className="row-box">
      <div className="row">
        <Avatar person={from} size="small" />
        <div className="row-text">
          <span className="clip name">{from.nickname}</span>
          <span className="clip quiet">@{from.username}</span>
        </div>
      </div>
      {note === '' ? null : <p className="note">{note}</p>}
      {problem === '' ? null : (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="actions">
        <button
          type="button"
          className="button small primary"
          onClick={() => void answer(true)}
          disabled={busy}
        >
          Accept
        </button>
        <button
          type="button"
          className="button small"
          onClick={() => void answer(false)}
          disabled={busy}
        >
          Refuse
        </button>
      </div>
    </li>
  )
}
