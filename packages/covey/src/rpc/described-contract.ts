import { type Contract, defineContract, type Methods } from '../contract/define-contract.ts'
import type { ContractDescription, MethodDescription } from '../contract/describe-contract.ts'
import type { Method } from '../contract/method.ts'
import { plain } from '../contract/plain.ts'

/**
 * A contract made of what an instance says of itself, for tools. Nothing is checked on the caller's side; the server checks
 * in any case.
 */
export function describedContract(description: ContractDescription): Contract {
  const methods: Methods = Object.fromEntries(
    description.methods.map((method) => [method.name, describedMethod(method)]),
  )
  return defineContract(description.name, methods)
}

function describedMethod(method: MethodDescription): Method {
  const { kind, idempotent, timeoutMs, errors } = method
  const anything = plain<unknown>()
  return {
    kind,
    idempotent,
    input: anything,
    output: anything,
    timeoutMs: timeoutMs ?? Number.POSITIVE_INFINITY,
    errors: Object.fromEntries(Object.keys(errors).map((code) => [code, anything])),
  }
}
