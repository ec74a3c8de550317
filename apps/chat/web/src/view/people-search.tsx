import { type FormEvent, type KeyboardEvent, useId } from 'react'
import { useChat } from './chat-context.ts'
import { Icon } from './icon.tsx'

interface PeopleSearchProps {
  readonly text: string
  readonly setText: (text: string) => void
  /** Ends the search and empties the box. */
  readonly clear: () => void
}

/** Finds people by username or nickname, on Enter; Escape ends it. */
export function PeopleSearch({ text, setText, clear }: PeopleSearchProps) {
  const { contacts } = useChat()
  const id = useId()

  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    void contacts.find(text)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') clear()
  }

  return (
    <search className="search">
      <form onSubmit={onSubmit} className="search-box">
        <label htmlFor={id} className="unseen">
          Find people
        </label>
        <Icon name="search" />
        <input
          id={id}
          type="search"
          placeholder="Find people"
          value={text}
          maxLength={40}
          autoComplete="off"
          enterKeyHint="search"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </form>
    </search>
  )
}
