import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import type { Person } from '../../../contracts/people.ts'
import { useChat } from './chat-context.ts'

/** Asks somebody to be friends, with a note if one is wanted. Escape closes it. */
export function RequestForm({ person, close }: { person: Person; close: () => void }) {
  const { contacts } = useChat()
  const [note, setNote] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const box = useRef<HTMLInputElement>(null)
  const id = useId()

  useEffect(() => box.current?.focus(), [])

  const onSubmit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setProblem(await contacts.request(person.id, note))
    setBusy(false)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') close()
  }

  return (
    <form className="request-form" onSubmit={onSubmit} onKeyDown={onKeyDown}>
      <label htmlFor={id}>Note (optional)</label>
      <input
        ref={box}
        id={id}
        value={note}
        maxLength={200}
        autoComplete="off"
        placeholder={`Say who you are to ${person.nickname}`}
        onChange={(event) => setNote(event.target.value)}
      />
      {problem === '' ? null : (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="actions">
        <button type="submit" className="button small primary" disabled={busy}>
          Send request
        </button>
        <button type="button" className="button small" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  )
}
