import type { TimerWheel } from '../base/timer-wheel.ts'
import type { Middleware } from '../call/handler.ts'
import type { BoundMethod } from '../contract/method.ts'
import { type Admission, admission } from '../middleware/admission.ts'
import { callContext } from '../middleware/call-context.ts'
import { callLog, type OnCallEnd } from '../middleware/call-log.ts'
import { callMetrics } from '../middleware/call-metrics.ts'
import { deadline } from '../middleware/deadline.ts'
import { failureReport } from '../middleware/failure-report.ts'
import { validation } from '../middleware/validation.ts'
import type { CallMetrics } from '../observe/call-metrics.ts'
import type { Log } from '../observe/log.ts'

/** What the server's stack is made from. */
export interface ServerStackOptions {
  readonly wheel: TimerWheel
  readonly log: Log
  /** Counts calls, if somebody wants to know. */
  readonly metrics?: CallMetrics | undefined
  /** Decides when calls are begun; only where calls are counted. Default: they are begun as they come. */
  readonly admission?: Admission | undefined
  /** Whether each call of a user's service gets a line in the log, of importance `debug`. Only where calls are counted. */
  readonly logCalls?: boolean | undefined
  /** The user's own, in order; they see validated input. */
  readonly middleware: readonly Middleware[]
}

/** Everything between a transport and the handler of `method`, the outermost first. */
export function serverStack(method: BoundMethod, options: ServerStackOptions): Middleware[] {
  const { metrics, log, admission: gate } = options
  // What the framework itself asks would fill the log.
  const told = options.logCalls && !method.service.startsWith('covey.') ? callLog(log) : undefined
  if (gate !== undefined && metrics === undefined) throw new TypeError('admission without metrics')
  return [
    // Outside of all: what is refused counts as well.
    ...(metrics === undefined ? [] : [callMetrics(metrics, method.path, onEnd(gate, told))]),
    // Ahead of everything that costs, for what is refused here is refused by the thousand; and of the deadline, which is to be
    // looked at when a call is begun.
    ...(gate === undefined ? [] : [admission(gate)]),
    // First to act: a call that is over costs nothing more, and all that follows counts against its time.
    deadline(options.wheel),
    // Outside of everything that can throw, so that nothing unseemly leaves.
    failureReport(log),
    // Before user code of any kind, schemas included, so that it runs within the call.
    callContext,
    // Next to the handler: the user's middleware stands on checked ground.
    validation(method),
    ...options.middleware,
  ]
}

/** Who hears that a call has ended. */
function onEnd(gate: Admission | undefined, told: OnCallEnd | undefined): OnCallEnd | undefined {
  if (gate === undefined) return told
  if (told === undefined) return (call) => gate.ended(call)
  return (call, ms, code) => {
    gate.ended(call)
    told(call, ms, code)
  }
}
