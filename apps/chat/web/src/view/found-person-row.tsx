import { useRef, useState } from 'react'
import type { FoundPerson, Relation } from '../../../contracts/people.ts'
import { Avatar } from './avatar.tsx'
import { useChat } from './chat-context.ts'
import { RequestForm } from './request-form.tsx'

const said: Partial<Record<Relation, string>> = {
  self: 'This is you',
  requested: 'Request sent',
  asking: 'Waits for your answer',
}

/** Somebody who was found, and what can be done about it. */
export function FoundPersonRow({ person }: { person: FoundPerson }) {
  const chat = useChat()
  const [asking, setAsking] = useState(false)
  const add = useRef<HTMLButtonElement>(null)
  const { id, nickname, relation, username } = person
  const text = said[relation]
  // Once it is sent the form is done with; should the request be refused, it does not open again by itself.
  if (asking && relation !== 'none') setAsking(false)

  const close = () => {
    setAsking(false)
    requestAnimationFrame(() => add.current?.focus())
  }

  return (
    <li className="row-box">
      <div className="row">
        <Avatar person={person} size="small" />
        <div className="row-text">
          <span className="clip name">{nickname}</span>
          <span className="clip quiet">@{username}</span>
        </div>
        {text === undefined ? null : <span className="quiet">{text}</span>}
        {relation === 'friend' ? (
          <button type="button" className="button small" onClick={() => void chat.openFriend(id)}>
            Open chat
          </button>
        ) : null}
        {relation === 'none' && !asking ? (
          <button ref={add} type="button" className="button small" onClick={() => setAsking(true)}>
            Add friend
          </button>
        ) : null}
      </div>
      {relation === 'none' && asking ? <RequestForm person={person} close={close} /> : null}
    </li>
  )
}
