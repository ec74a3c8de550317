import type { Clock } from '../base/clock.ts'
import { Admission } from '../middleware/admission.ts'
import type { FrameworkSettings } from '../settings/framework-settings.ts'

/**
 * What decides when calls are begun. Without a word in the settings only in production: on a machine that compiles, tests and runs
 * a browser beside, turns are long for other reasons than calls.
 */
export function openAdmission(
  { admission }: FrameworkSettings,
  { instance, clock }: { instance: string; clock: Clock },
): Admission | undefined {
  const { enabled = process.env.NODE_ENV === 'production' } = admission
  if (!enabled) return undefined
  const { maxWaitMs } = admission
  return new Admission({ instance, maxWaitMs, clock })
}
