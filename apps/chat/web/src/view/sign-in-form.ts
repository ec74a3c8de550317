import { CoveyError } from 'covey/client'
import type { Person } from '../../../contracts/people.ts'
import { Credentials, Registration } from '../../../contracts/session.ts'
import { errorText, fieldProblems } from '../core/error-text.ts'
import type { SessionApi } from '../core/session.ts'

/** What the form is for. */
export type Mode = 'create' | 'logIn'

/** What was typed. */
export interface Values {
  readonly username: string
  readonly password: string
  readonly nickname: string
}

/** What is wrong at each field, and with the form as a whole; empty texts where nothing is. */
export type Problems = Readonly<Record<keyof Values | 'form', string>>

export const noProblems: Problems = { username: '', password: '', nickname: '', form: '' }

/** How a form ended. */
export type Outcome =
  | { readonly kind: 'done'; readonly me: Person }
  | { readonly kind: 'refused'; readonly problems: Problems }

const nameKey = 'covey-chat.username'

/** Username of the last login on this device; empty when there was none. */
export function rememberedName(): string {
  return localStorage.getItem(nameKey) ?? ''
}

/** Checks what was typed as the server does, then asks the server. */
export async function submit(session: SessionApi, mode: Mode, values: Values): Promise<Outcome> {
  const problems = mode === 'create' ? invalid(Registration, values) : missing(values)
  if (problems !== undefined) return { kind: 'refused', problems }
  const { username, password } = values
  try {
    const me =
      mode === 'create'
        ? await session.register(values)
        : await session.logIn({ username, password })
    localStorage.setItem(nameKey, me.username)
    return { kind: 'done', me }
  } catch (thrown) {
    return { kind: 'refused', problems: problemsOf(CoveyError.from(thrown)) }
  }
}

function missing(values: Values): Problems | undefined {
  if (values.username.trim() === '') return { ...noProblems, username: 'Enter your username.' }
  if (values.password === '') return { ...noProblems, password: 'Enter your password.' }
  return invalid(Credentials, values)
}

function invalid(
  schema: typeof Registration | typeof Credentials,
  values: Values,
): Problems | undefined {
  const { error } = schema.safeParse(values)
  if (error === undefined) return undefined
  const problems: Record<keyof Problems, string> = { ...noProblems }
  for (const { path, message } of error.issues) {
    const name = path[0] as keyof Values
    problems[name] ||= sentence(message)
  }
  return problems
}

function problemsOf(error: CoveyError): Problems {
  if (error.code === 'USERNAME_TAKEN') return { ...noProblems, username: errorText(error) }
  const problems: Record<keyof Problems, string> = { ...noProblems }
  for (const [path, message] of fieldProblems(error.details)) {
    if (path in problems) problems[path as keyof Problems] = sentence(message)
  }
  const shown = Object.values(problems).some((text) => text !== '')
  return shown ? problems : { ...problems, form: errorText(error) }
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`
}
