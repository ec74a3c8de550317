/** What one error code means and how it looks on each protocol. */
export interface CodeEntry {
  /** Status on HTTP. */
  readonly http: number
  /** Status on gRPC, by number. */
  readonly grpc: number
  /** Whether the same call may be sent again: always, only if it is idempotent, or not at all. */
  readonly retry: 'always' | 'idempotent' | 'never'
  /** What happened, in one sentence. */
  readonly meaning: string
  /** What to do about it, in one sentence. */
  readonly fix: string
}

/**
 * Every code the framework itself raises. `docs/errors.md` holds the same table for readers; a test
 * keeps the two equal. Codes that a contract declares (`errors: { USER_GONE: … }`) stand beside these
 * and are reported as {@link contractErrorEntry} says.
 */
export const codes = {
  CANCELLED: {
    http: 499,
    grpc: 1,
    retry: 'never',
    meaning: 'The caller cancelled the call, or its connection went away while it ran.',
    fix: 'Nothing, when the caller meant it; otherwise look for who aborted the signal.',
  },
  DEADLINE_EXCEEDED: {
    http: 504,
    grpc: 4,
    retry: 'idempotent',
    meaning: 'The time for the call was used up before its result arrived; it may have run.',
    fix: 'See where the time went in the trace; raise `timeoutMs` only if the work needs it.',
  },
  INVALID_INPUT: {
    http: 422,
    grpc: 3,
    retry: 'never',
    meaning: 'The input does not fit the schema of the method.',
    fix: 'Correct the fields named in `details.issues`.',
  },
  INVALID_OUTPUT: {
    http: 500,
    grpc: 13,
    retry: 'never',
    meaning: 'The handler returned something that does not fit the schema of the method.',
    fix: 'Correct the handler, or the output schema, at the fields named in `details.issues`.',
  },
  UNAUTHENTICATED: {
    http: 401,
    grpc: 16,
    retry: 'never',
    meaning: 'The caller did not prove who it is, or the proof has expired or was revoked.',
    fix: 'Log in again, or send a valid credential.',
  },
  PERMISSION_DENIED: {
    http: 403,
    grpc: 7,
    retry: 'never',
    meaning: 'The caller is known but may not do this.',
    fix: 'Ask for the right, or call on something of your own.',
  },
  NOT_FOUND: {
    http: 404,
    grpc: 5,
    retry: 'never',
    meaning: 'The thing that was asked for does not exist.',
    fix: 'Check the identifier.',
  },
  ALREADY_EXISTS: {
    http: 409,
    grpc: 6,
    retry: 'never',
    meaning: 'The thing to be made exists already.',
    fix: 'Use the existing one, or choose another identifier.',
  },
  FAILED_PRECONDITION: {
    http: 409,
    grpc: 9,
    retry: 'never',
    meaning: 'The state of the system does not allow this call now.',
    fix: 'Bring the thing into the state that the message names, then call again.',
  },
  RESOURCE_EXHAUSTED: {
    http: 429,
    grpc: 8,
    retry: 'always',
    meaning: 'A limit was reached: too many calls, streams or bytes; the call was not run.',
    fix: 'Slow down; wait at least `details.retryAfterMs` where it is given.',
  },
  UNIMPLEMENTED: {
    http: 404,
    grpc: 12,
    retry: 'never',
    meaning: 'The server does not have this service or method.',
    fix: 'Check the name, and whether caller and server use the same version of the contract.',
  },
  INTERNAL: {
    http: 500,
    grpc: 13,
    retry: 'never',
    meaning: 'The handler failed in a way it did not declare.',
    fix: "Look for the error's `details.errorId` in the log of the server.",
  },
  UNAVAILABLE: {
    http: 503,
    grpc: 14,
    retry: 'always',
    meaning: 'No instance could take the call; it was not run.',
    fix: 'Start the service, or wait: `details` says which instances were tried and when again.',
  },
  DEPENDENCY_UNAVAILABLE: {
    http: 502,
    grpc: 14,
    retry: 'idempotent',
    meaning: 'The handler ran, but a service that it called was not available.',
    fix: 'See `details` for the call that failed; call again if the method is idempotent.',
  },
  CONNECTION_LOST: {
    http: 502,
    grpc: 14,
    retry: 'idempotent',
    meaning: 'The connection broke after the call was sent and before its result; it may have run.',
    fix: 'Call again if the method is idempotent; otherwise look whether it took effect.',
  },
  DRAINING: {
    http: 503,
    grpc: 14,
    retry: 'always',
    meaning: 'The instance is stopping and takes no new calls; the call was not run.',
    fix: 'Call another instance; the channel does so by itself.',
  },
  RESULT_EXPIRED: {
    http: 410,
    grpc: 5,
    retry: 'never',
    meaning: 'No result waits under this token: its time is over, or the token was never given.',
    fix: 'Collect results within `covey.results.keepMs` after the work has ended.',
  },
  RESULT_LOST: {
    http: 500,
    grpc: 15,
    retry: 'idempotent',
    meaning:
      'A submitted call may have run, but its result is gone with its instance, or could not be kept.',
    fix: 'See in the message which it was; submit again only if the method is idempotent.',
  },
  PROTOCOL_ERROR: {
    http: 502,
    grpc: 13,
    retry: 'never',
    meaning: 'The peer sent bytes that are not the protocol, so the connection was closed.',
    fix: 'Check that the port belongs to a Covey server and that the versions fit.',
  },
  INTEGRITY_FAILED: {
    http: 502,
    grpc: 14,
    retry: 'idempotent',
    meaning:
      'A frame was changed, repeated, left out or moved on its way, so the connection was closed; the call may have run.',
    fix: 'Look for who stands between the two processes, or for failing memory or network hardware.',
  },
  MESSAGE_TOO_LARGE: {
    http: 413,
    grpc: 8,
    retry: 'never',
    meaning: 'A message is larger than the limit of the sender or of the receiver.',
    fix: 'Send less, use a stream, or raise `maxFrameBytes` on both sides.',
  },
  UNENCODABLE: {
    http: 500,
    grpc: 13,
    retry: 'never',
    meaning:
      'A value cannot be put on the wire (a function, a promise, an error, a cycle, too deep, too long a list); the message says where it lies.',
    fix: 'Return plain data: objects, arrays, strings, numbers, booleans, bytes, dates.',
  },
  INVALID_SETTINGS: {
    http: 500,
    grpc: 9,
    retry: 'never',
    meaning: 'Settings are missing or wrong, so the process does not start.',
    fix: 'Correct every line that the message lists.',
  },
  ADDRESS_IN_USE: {
    http: 500,
    grpc: 9,
    retry: 'never',
    meaning: 'Another process listens on this address already.',
    fix: 'Stop that process, or set another port.',
  },
  START_FAILED: {
    http: 500,
    grpc: 9,
    retry: 'never',
    meaning: 'A part of the application could not be started.',
    fix: 'Read the cause; everything that had started was stopped again.',
  },
} as const satisfies Record<string, CodeEntry>

/** A code of the framework. */
export type Code = keyof typeof codes

/** How an error that a contract declares looks on protocols with numbers. */
export const contractErrorEntry: CodeEntry = {
  http: 400,
  grpc: 9,
  retry: 'never',
  meaning: 'An error that the contract of the method declares.',
  fix: 'See the contract of the method.',
}

/** The entry of a code; unknown codes are errors that some contract declares. */
export function codeEntry(code: string): CodeEntry {
  return Object.hasOwn(codes, code) ? codes[code as Code] : contractErrorEntry
}
