import { type FormEvent, type RefObject, useEffect, useRef, useState } from 'react'
import type { Person } from '../../../contracts/people.ts'
import type { SessionApi } from '../core/session.ts'
import {
  type Mode,
  noProblems,
  type Problems,
  rememberedName,
  submit,
  type Values,
} from './sign-in-form.ts'

interface SignInFormState {
  readonly mode: Mode
  readonly busy: boolean
  readonly problems: Problems
  /** The field that is entered first. */
  readonly first: RefObject<HTMLInputElement | null>
  readonly onSubmit: (event: FormEvent) => void
  /** Turns from one mode to the other. */
  readonly onOther: () => void
  /** What a field shows and does. */
  readonly bind: (name: keyof Values) => {
    readonly name: string
    readonly value: string
    readonly problem: string
    readonly onChange: (event: { target: HTMLInputElement }) => void
  }
}

/** What was typed into the form, what is wrong with it, and sending it. */
export function useSignInForm(
  session: SessionApi,
  onSignedIn: (me: Person) => void,
): SignInFormState {
  const [mode, setMode] = useState<Mode>(() => (rememberedName() === '' ? 'create' : 'logIn'))
  const [values, setValues] = useState({ username: rememberedName(), password: '', nickname: '' })
  const [problems, setProblems] = useState<Problems>(noProblems)
  const [busy, setBusy] = useState(false)
  const first = useRef<HTMLInputElement>(null)

  useEffect(() => first.current?.focus(), [])

  const run = async (wanted: Mode) => {
    setBusy(true)
    const outcome = await submit(session, wanted, values)
    setBusy(false)
    if (outcome.kind === 'done') onSignedIn(outcome.me)
    else setProblems(outcome.problems)
  }
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (!busy) void run(mode)
  }
  // With both fields filled in, "Log in" under a new account means exactly that.
  const onOther = () => {
    const wanted = mode === 'create' ? 'logIn' : 'create'
    setMode(wanted)
    setProblems(noProblems)
    const ready = values.username !== '' && values.password !== '' && values.nickname === ''
    if (wanted === 'logIn' && ready) void run(wanted)
    else first.current?.focus()
  }
  const bind: SignInFormState['bind'] = (name) => ({
    name,
    value: values[name],
    problem: problems[name],
    onChange({ target }) {
      setValues({ ...values, [name]: target.value })
      setProblems({ ...problems, [name]: '', form: '' })
    },
  })
  return { mode, busy, problems, first, onSubmit, onOther, bind }
}
