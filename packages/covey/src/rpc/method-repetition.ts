import type { CallMode } from '../call/call.ts'
import type { MethodRef } from '../call/method-ref.ts'
import {
  canHedge,
  type Repetition,
  type RepetitionOptions,
  requireHedgeable,
  toRepetition,
} from '../call/repetition.ts'
import type { Contract } from '../contract/define-contract.ts'

/**
 * How the calls of a client are repeated that say nothing of it, by method: as the client says, else as the contract says.
 * @throws TypeError if calls are to be hedged and no method of the contract can be
 */
export function methodRepetition(
  contract: Contract,
  wishes: RepetitionOptions = {},
): (method: MethodRef) => Repetition | undefined {
  const methods = Object.values(contract.methods)
  const who = `the client of ${contract.name}`
  if (!methods.some(canHedge)) requireHedgeable({ kind: 'unary', idempotent: false }, who, wishes)
  // Checked even where no call is ever made.
  toRepetition(wishes, who)
  return (method) => {
    const all = toRepetition(wishes, who, method.repetition)
    if (all?.hedge === undefined || canHedge(method)) return all
    return { maxAttempts: all.maxAttempts, hedge: undefined }
  }
}

/** How one call is repeated. @throws TypeError if it is to be hedged and cannot be */
export function repetitionOf(
  method: MethodRef,
  mode: CallMode,
  wishes: RepetitionOptions,
  usual: Repetition | undefined,
): Repetition | undefined {
  if (wishes.hedge) {
    requireHedgeable(method, method.path, wishes)
    if (mode !== 'wait') throw new TypeError(`${method.path}: ${mode} cannot be hedged`)
  }
  return toRepetition(wishes, method.path, usual)
}
