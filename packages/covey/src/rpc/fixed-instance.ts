import type { Instance } from '../discovery/registry.ts'

/** Marks an instance of which only the address is known. */
const unknownStart = -1

/** What stands for whoever listens at an address: its id, its group and the rest are not known. */
export function fixedInstance(address: string, services: readonly string[]): Instance {
  return {
    id: address,
    app: address,
    services,
    addresses: [address],
    weight: 1,
    state: 'up',
    startedAtMs: unknownStart,
  }
}

/** Whether only the address of an instance is known. */
export function isFixed({ startedAtMs }: Instance): boolean {
  return startedAtMs === unknownStart
}

/** One or many addresses as a list; none where there is none. */
export function targetsOf(target: string | readonly string[] | undefined): readonly string[] {
  if (target === undefined) return []
  return typeof target === 'string' ? [target] : target
}

/** A list that does not change until `signal` says that they are gone. */
export async function* always(
  instances: readonly Instance[],
  signal: AbortSignal,
): AsyncGenerator<readonly Instance[]> {
  yield instances
  if (!signal.aborted) await aborted(signal)
  yield []
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
