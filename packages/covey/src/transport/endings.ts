import { CoveyError } from '../error/covey-error.ts'

// What calls are told when an instance or a connection ends: the same over every transport.

/** The instance takes no new calls; this one was not run. */
export function instanceStopping(instance: string): CoveyError {
  return new CoveyError('DRAINING', `instance ${instance} is stopping`)
}

/**
 * Streams of results have no end that a stopping instance could wait for: their readers open them elsewhere. Not
 * `DRAINING`, for they have run.
 */
export function streamMoved(): CoveyError {
  return new CoveyError('CONNECTION_LOST', 'the instance is stopping; open the stream again')
}

/** The instance has stopped, and with it the call. */
export function serverStopped(): CoveyError {
  return new CoveyError('CANCELLED', 'the server stopped')
}

/** Nobody is left to answer to. */
export function callerGone(): CoveyError {
  return new CoveyError('CANCELLED', 'the connection of the caller is gone')
}

/** The caller's own side closed the connection. */
export function closedHere(): CoveyError {
  return new CoveyError('CANCELLED', 'the connection was closed by this side')
}
