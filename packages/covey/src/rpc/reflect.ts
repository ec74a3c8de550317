import { defineContract } from '../contract/define-contract.ts'
import { type AnyService, defineService, type Service } from '../contract/define-service.ts'
import { type ContractDescription, describeContract } from '../contract/describe-contract.ts'
import { unary } from '../contract/method.ts'
import { plain } from '../contract/plain.ts'

/**
 * Says what an instance serves. Every application has it on its own port, so that tools can call what they have no
 * contract of; gateways do not show it to browsers.
 */
export const reflect = defineContract('covey.reflect', {
  /** The contracts of the instance, those of the framework last. */
  contracts: unary({ output: plain<ContractDescription[]>(), idempotent: true, timeoutMs: 2_000 }),
})

/** The service behind {@link reflect}: describes `services` and itself when it is asked for the first time. */
export function reflectService(services: readonly AnyService[]): Service {
  let described: ContractDescription[] | undefined
  return defineService(reflect, {
    contracts() {
      described ??= [...services.map(({ contract }) => contract), reflect].map(describeContract)
      return described
    },
  }) as AnyService
}
