import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import type { Person } from '../../../contracts/people.ts'
import { useChat } from './chat-context.ts'
import { Icon } from './icon.tsx'
import { useGrowingBox } from './use-growing-box.ts'

/** Characters of a message at most, as the contract says. */
const maxLength = 8_000
/** From here on the rest is told. */
const nearLength = 7_500

interface ComposerProps {
  readonly conversationId: string
  readonly peer: Person | undefined
}

/** Where a message is written. Enter sends, Shift+Enter makes a new line; a draft is kept. */
export function Composer({ conversationId, peer }: ComposerProps) {
  const { drafts, outbox } = useChat()
  const [text, setText] = useState(() => drafts.get(conversationId))
  const box = useRef<HTMLTextAreaElement>(null)
  const id = useId()
  const tooLong = text.length > maxLength

  // On a phone the focus would open the keyboard over what one wants to read.
  useEffect(() => {
    if (matchMedia('(pointer: coarse)').matches) return
    const { current } = box
    current?.focus()
    current?.setSelectionRange(current.value.length, current.value.length)
  }, [])

  useGrowingBox(box, text)

  const write = (value: string) => {
    setText(value)
    drafts.set(conversationId, value)
  }
  const send = () => {
    if (text.trim() === '' || tooLong) return
    outbox.add(conversationId, text)
    write('')
    box.current?.focus()
  }
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    send()
  }
  // While an input method composes a character, Enter is for that.
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }

  return (
    <form className="composer" onSubmit={onSubmit}>
      <label htmlFor={id} className="unseen">
        Message
      </label>
      <textarea
        ref={box}
        id={id}
        rows={1}
        value={text}
        dir="auto"
        placeholder={peer === undefined ? '' : `Write to ${peer.nickname}`}
        enterKeyHint="send"
        aria-invalid={tooLong}
        aria-describedby={`${id}-length`}
        onChange={(event) => write(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <button
        type="submit"
        className="round send"
        aria-label="Send"
        disabled={text.trim() === '' || tooLong}
      >
        <Icon name="send" />
      </button>
      <output id={`${id}-length`} className={tooLong ? 'length problem' : 'length quiet'}>
        {lengthText(text.length)}
      </output>
    </form>
  )
}

function lengthText(length: number): string {
  if (length < nearLength) return ''
  const rest = maxLength - length
  if (rest >= 0) return `${rest.toLocaleString('en')} characters left`
  return `${(-rest).toLocaleString('en')} characters too long. Shorten it, or send it in two parts.`
}
