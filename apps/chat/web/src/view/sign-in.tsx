import { useEffect } from 'react'
import type { Person } from '../../../contracts/people.ts'
import type { SessionApi } from '../core/session.ts'
import { Brand } from './brand.tsx'
import { Field } from './field.tsx'
import { useSignInForm } from './use-sign-in-form.ts'

interface SignInProps {
  readonly session: SessionApi
  /** Why somebody is asked to log in again; empty when they are not. */
  readonly notice: string
  readonly onSignedIn: (me: Person) => void
}

const words = {
  create: {
    heading: 'Create your account',
    action: 'Create account',
    question: 'Already have an account?',
    other: 'Log in',
    passwordHint: 'At least 8 characters.',
    passwordKind: 'new-password',
  },
  logIn: {
    heading: 'Welcome back',
    action: 'Log in',
    question: 'New here?',
    other: 'Create account',
    passwordHint: '',
    passwordKind: 'current-password',
  },
} as const

/** Makes an account or logs in, with one form for both. */
export function SignIn({ session, notice, onSignedIn }: SignInProps) {
  const { mode, busy, problems, first, onSubmit, onOther, bind } = useSignInForm(
    session,
    onSignedIn,
  )
  const { action, heading, other, passwordHint, passwordKind, question } = words[mode]

  useEffect(() => {
    document.title = 'Covey Chat'
  }, [])

  return (
    <main className="sign-in">
      <form className="card" onSubmit={onSubmit} noValidate>
        <Brand />
        <h1>{heading}</h1>
        {notice === '' ? null : <p className="notice">{notice}</p>}
        <Field
          label="Username"
          ref={first}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          {...bind('username')}
        />
        <Field
          label="Password"
          type="password"
          autoComplete={passwordKind}
          maxLength={200}
          hint={passwordHint}
          {...bind('password')}
        />
        {mode === 'create' ? (
          <Field
            label="Nickname"
            autoComplete="nickname"
            maxLength={80}
            hint="The name that others see."
            {...bind('nickname')}
          />
        ) : null}
        <p className="problem form-problem" role="alert">
          {problems.form}
        </p>
        <button type="submit" className="button primary wide" disabled={busy}>
          {action}
        </button>
        <p className="other">
          {question}{' '}
          <button type="button" className="link" onClick={onOther} disabled={busy}>
            {other}
          </button>
        </p>
      </form>
    </main>
  )
}
