import type { Code } from '../../../error/codes.ts'

/** What each number means to clients of Dora-RPC. `docs/errors.md` holds the same table for readers. */
export const doraCodes = {
  ok: 0,
  /** The work was accepted; nobody waits for its result. */
  accepted: 100_001,
  /** No such path, or no such API. */
  unknownTask: 100_002,
  /** A form field is missing, or an input does not fit. */
  wrongParameter: 100_003,
  /** `params` lacks `guid` or `api`. */
  incompleteParams: 100_004,
  notAllowed: 100_005,
  unencodable: 100_006,
  wrongLength: 100_007,
  wrongGuid: 100_008,
  noAnswer: 100_009,
  noServer: 100_010,
  unknownCommand: 100_011,
  lostResult: 100_012,
  unknownMode: 100_099,
  otherGuid: 100_100,
  /** Everything that Dora has no number for. */
  other: -1,
} as const

const byCode: Partial<Record<Code, number>> = {
  UNIMPLEMENTED: doraCodes.unknownTask,
  INVALID_INPUT: doraCodes.wrongParameter,
  UNAUTHENTICATED: doraCodes.notAllowed,
  PERMISSION_DENIED: doraCodes.notAllowed,
  UNENCODABLE: doraCodes.unencodable,
  PROTOCOL_ERROR: doraCodes.unencodable,
  MESSAGE_TOO_LARGE: doraCodes.wrongLength,
  DEADLINE_EXCEEDED: doraCodes.noAnswer,
  CONNECTION_LOST: doraCodes.noAnswer,
  CANCELLED: doraCodes.noAnswer,
  UNAVAILABLE: doraCodes.noServer,
  DRAINING: doraCodes.noServer,
  RESOURCE_EXHAUSTED: doraCodes.noServer,
  DEPENDENCY_UNAVAILABLE: doraCodes.noServer,
  RESULT_EXPIRED: doraCodes.lostResult,
  RESULT_LOST: doraCodes.lostResult,
}

/** The number of one of our codes; errors that a contract declares are `-1`, and carry their code in `data`. */
export function toDoraCode(code: string): number {
  return Object.hasOwn(byCode, code) ? byCode[code as Code]! : doraCodes.other
}
