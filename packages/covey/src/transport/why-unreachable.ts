import { reasonOf } from '../error/reason-of.ts'

/** What the system's codes mean to whoever wants to connect. */
const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was closed at once',
  ENOENT: 'there is no such socket',
  ENOTFOUND: 'no name server knows this host',
  EAI_AGAIN: 'the name server does not answer',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
  ETIMEDOUT: 'nobody answers',
  EACCES: 'this user may not connect to it',
  EPERM: 'this machine lets nobody connect to it',
  EMFILE: 'this process has as many files open as it may',
}

/** Why a connection could not be opened, in words and with the code of the system: `nobody listens there (ECONNREFUSED)`. */
export function whyUnreachable(error: Error): string {
  // For a host with several addresses this is an AggregateError without a message, but with the code.
  const { code = '' } = error as NodeJS.ErrnoException
  if (Object.hasOwn(meanings, code)) return `${meanings[code]} (${code})`
  const { reason } = error as { reason?: unknown }
  if (/wrong version number|packet length too long/.test(`${reason} ${error.message}`)) {
    return 'what answers there does not speak TLS'
  }
  // The message has addresses in OpenSSL's memory and names of its files.
  if (typeof reason === 'string' && code.startsWith('ERR_SSL_')) return `TLS: ${reason} (${code})`
  if (code.startsWith('HPE_')) return `what answers there does not speak HTTP (${reasonOf(error)})`
  return reasonOf(error)
}
