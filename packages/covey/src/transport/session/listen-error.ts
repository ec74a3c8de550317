import type { Code } from '../../error/codes.ts'
import { CoveyError } from '../../error/covey-error.ts'

/** What to do about what a system says when a server wants to listen; all of it is in the settings. */
const listenFixes: Readonly<Record<string, { code: Code; what: string }>> = {
  EADDRINUSE: {
    code: 'ADDRESS_IN_USE',
    what: 'is in use by another process: stop that process, or set another port',
  },
  EACCES: {
    code: 'INVALID_SETTINGS',
    what: 'may not be listened on by this user: set a port above 1023, or give the process the right',
  },
  // It may come, as one that moves between machines does, so another try is of use.
  EADDRNOTAVAIL: {
    code: 'START_FAILED',
    what: 'is no address of this machine: set a host that it has, or 127.0.0.1',
  },
  ENOTFOUND: {
    code: 'START_FAILED',
    what: 'has a host that no name server knows: set one that this machine has, or 127.0.0.1',
  },
}

/** Why a server could not listen at an address, and what to do. */
export function listenError(address: string, cause: Error & { code?: string }): CoveyError {
  const fix = listenFixes[cause.code ?? '']
  if (fix === undefined) {
    return new CoveyError('START_FAILED', `${address}: ${cause.message}`, { cause })
  }
  return new CoveyError(fix.code, `${address} ${fix.what}`, { cause })
}
