import type { CoveyError } from 'covey/client'

const sentences: Readonly<Record<string, string>> = {
  UNAVAILABLE: 'The server cannot be reached right now.',
  CONNECTION_LOST: 'The connection broke.',
  DEADLINE_EXCEEDED: 'The server took too long to answer.',
  DRAINING: 'The server is restarting.',
  DEPENDENCY_UNAVAILABLE: 'A part of the server cannot be reached right now.',
  RESOURCE_EXHAUSTED: 'The server has too much to do right now.',
  UNAUTHENTICATED: 'Your session has ended.',
  NOT_FRIENDS: 'You are not friends with this person any more.',
  NOT_A_MEMBER: 'You are no longer part of this conversation.',
  MESSAGE_TOO_LARGE: 'This is too long to send.',
  ALREADY_FRIENDS: 'You are friends already.',
  ALREADY_REQUESTED: 'You have asked already.',
  NO_SUCH_USER: 'This account does not exist any more.',
  NOT_YOURSELF: 'You cannot add yourself.',
  REQUEST_GONE: 'This was answered or taken back already.',
  TOO_FAST: 'You are writing faster than allowed.',
  CLIENT_ID_REUSED: 'This was sent already with another text.',
  USERNAME_TAKEN: 'This username is taken. Choose another one.',
  WRONG_LOGIN: 'Username or password is wrong.',
  TOO_MANY_TRIES: 'Too many tries. Wait a little and try again.',
}

/** What to tell a person about an error: one sentence, without codes or technical words. */
export function errorText(error: CoveyError): string {
  if (Object.hasOwn(sentences, error.code)) return sentences[error.code]!
  if (error.code === 'INVALID_INPUT') return firstIssue(error.details) ?? 'This was not accepted.'
  return 'Something went wrong on the server.'
}

/** What is wrong at each field: the dotted name of the field to the message. */
export function fieldProblems(details: unknown): ReadonlyMap<string, string> {
  const problems = new Map<string, string>()
  const issues = isRecord(details) && Array.isArray(details.issues) ? details.issues : []
  for (const issue of issues) {
    if (!isRecord(issue)) continue
    const { path, message } = issue
    if (typeof path !== 'string' || typeof message !== 'string' || problems.has(path)) continue
    problems.set(path, message)
  }
  return problems
}

/** Milliseconds that the server asked to wait; 0 when it did not say. */
export function retryAfterMs(error: CoveyError): number {
  const wait = isRecord(error.details) ? error.details.retryAfterMs : undefined
  return typeof wait === 'number' && wait > 0 ? wait : 0
}

function firstIssue(details: unknown): string | undefined {
  const [first] = fieldProblems(details).values()
  return first === undefined ? undefined : `${first.charAt(0).toUpperCase()}${first.slice(1)}.`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
