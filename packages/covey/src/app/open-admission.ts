import type { Clock } from '../base/clock.ts'
import { Admission } from '../middleware/admission.ts'
import type { CallMetrics } from '../observe/call-metrics.ts'
import type { FrameworkSettings } from '../settings/framework-settings.ts'

/** What decides when calls are begun, unless the settings switch it off. */
export function openAdmission(
  { admission }: FrameworkSettings,
  { instance, clock, metrics }: { instance: string; clock: Clock; metrics: CallMetrics },
): Admission | undefined {
  if (!admission.enabled) return undefined
  const { maxWaitMs } = admission
  return new Admission({ instance, maxWaitMs, clock, ended: () => metrics.ended })
}
