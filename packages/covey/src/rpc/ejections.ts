import type { EjectionPolicy } from '../balance/ejection-policy.ts'
import { findOutlier, leastFailures, type Outlier } from '../balance/find-outlier.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../observe/log.ts'
import { Ejection } from './ejection.ts'
import type { Endpoint } from './endpoint.ts'

/** The least time between two looks at the figures, in milliseconds; with many instances each takes a while. */
const lookEveryMs = 100

/**
 * When so much of what the others are asked fails, all are used. Envoy's panic threshold, which counts hosts; and what they must have
 * come down to before one is left out again.
 */
const panicRate = 0.5
const calmRate = 0.4

/** What {@link Ejections} needs. */
export interface EjectionsOptions {
  readonly policy: EjectionPolicy
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  /** Whose instances these are, for the log. */
  readonly service: string
  /** All instances, in whatever state. */
  all(): Iterable<Endpoint>
  /** Others may be called now. */
  onChange(): void
}

/**
 * Which instances of a service are left out because their calls fail while those of the others do not. One is left out for a time that
 * doubles, then single calls try it: when enough of them were answered, it takes its share again. Never more than half are
 * left out. Costs something only where calls fail.
 * Sources: outlier detection of Envoy and gRPC, which compare instances; failure accrual of Finagle, which tries them with
 * single calls.
 */
export class Ejections {
  readonly #options: EjectionsOptions
  readonly #ejected = new Set<Endpoint>()
  #nextLookMs = 0
  /** Whether there may be one that a call may try. */
  due = false

  constructor(options: EjectionsOptions) {
    this.#options = options
  }

  /** Whether there are any. */
  get any(): boolean {
    return this.#ejected.size > 0
  }

  /** A call has failed: looks whether its instance, or another one, fails more than the others. */
  look(): void {
    const { policy, clock } = this.#options
    const nowMs = clock.monotonicMs()
    if (!policy.enabled || nowMs < this.#nextLookMs) return
    this.#nextLookMs = nowMs + lookEveryMs
    const awake = this.#awake()
    const rest = awake.filter(({ ejected }) => !ejected)
    for (const { failures } of rest) failures.fade(nowMs)
    let changed = this.#endWhereAllFail(rest)
    let left = this.#allowed(awake.length) - awake.filter(({ ejected }) => ejected).length
    for (; left > 0; left--) {
      const outlier = findOutlier(rest, policy.thresholdPercent / 100)
      if (outlier === undefined || outlier.othersRate > calmRate) break
      rest.splice(rest.indexOf(outlier.one), 1)
      this.#eject(outlier, nowMs)
      changed = true
    }
    if (changed) this.#options.onChange()
  }

  /** An instance that the next call is to try. @param suits whether the call may go there */
  probe(suits: (endpoint: Endpoint) => boolean): Endpoint | undefined {
    this.due = false
    let found: Endpoint | undefined
    for (const endpoint of this.#ejected) {
      if (!endpoint.ejection?.due) continue
      if (found === undefined && endpoint.ready && !endpoint.stalled && suits(endpoint)) {
        found = endpoint
        endpoint.ejection.ask()
      } else this.due = true
    }
    return found
  }

  /** Instances came or went, or their connections did. */
  update(): void {
    const known = new Set(this.#options.all())
    for (const endpoint of this.#ejected) {
      const ejection = endpoint.ejection!
      if (!known.has(endpoint)) this.#end(endpoint)
      else if (!endpoint.ready) ejection.wasGone = true
      else if (ejection.wasGone) {
        // It may be another process now.
        ejection.wasGone = false
        ejection.tryNow()
      }
    }
    const awake = this.#awake()
    let over = awake.filter(({ ejected }) => ejected).length - this.#allowed(awake.length)
    for (const endpoint of this.#ejected) {
      if (over <= 0) return
      if (!awake.includes(endpoint)) continue
      this.#end(endpoint, 'too few others are left')
      over -= 1
    }
  }

  /** Leaves nobody out any more, and no timer. */
  close(): void {
    for (const endpoint of this.#ejected) this.#end(endpoint)
  }

  #eject({ one, rate, othersRate }: Outlier<Endpoint>, nowMs: number): void {
    const { policy, log, service } = this.#options
    one.ejection ??= this.#open(one)
    const { ejection, failures, lastFault, instance } = one
    const wellMs = nowMs - ejection.overMs
    ejection.times = Math.max(0, ejection.times - Math.floor(wellMs / policy.baseMs))
    const calls = Math.round(failures.calls)
    ejection.why = `${percent(rate)} of ${calls} calls failed (${lastFault}), of the others' ${percent(othersRate)}`
    this.#ejected.add(one)
    one.forgetCalls()
    const ms = this.#begin(ejection)
    const fields = { service, instance: instance.id, forMs: ms }
    log.warn(fields, `an instance is left out: ${ejection.why}`)
  }

  /** @returns how long it is left out, in milliseconds */
  #begin(ejection: Ejection): number {
    const { policy, random } = this.#options
    const usualMs = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(ejection.times, 30))
    // 20 % more or less, so that many callers do not try it together.
    const ms = Math.round(usualMs * (0.8 + 0.4 * random()))
    ejection.times += 1
    ejection.begin(ms)
    return ms
  }

  #open(endpoint: Endpoint): Ejection {
    const ejection: Ejection = new Ejection({
      clock: this.#options.clock,
      onDue: () => {
        if (this.#options.policy.enabled) this.due = true
        else this.#endAndTell(endpoint, 'covey.ejection.enabled is false')
      },
      onWell: () => this.#endAndTell(endpoint, 'calls that tried it were answered'),
      onFault: () => void this.#begin(ejection),
    })
    return ejection
  }

  /** Where half of what the others are asked fails, it is not for the fault of one, and every instance is needed. */
  #endWhereAllFail(others: readonly Endpoint[]): boolean {
    const calls = others.reduce((sum, { failures }) => sum + failures.calls, 0)
    const failed = others.reduce((sum, { failures }) => sum + failures.failed, 0)
    if (failed < leastFailures || failed < calls * panicRate) return false
    const { any } = this
    for (const endpoint of this.#ejected) this.#end(endpoint, 'the others fail as well')
    return any
  }

  #endAndTell(endpoint: Endpoint, why: string): void {
    this.#end(endpoint, why)
    this.#options.onChange()
  }

  /** @param why for the log; undefined where the instance is gone anyway */
  #end(endpoint: Endpoint, why?: string): void {
    this.#ejected.delete(endpoint)
    endpoint.ejection!.end()
    endpoint.forgetCalls()
    if (why === undefined) return
    const { log, service } = this.#options
    log.info({ service, instance: endpoint.instance.id }, `an instance takes calls again: ${why}`)
  }

  #awake(): Endpoint[] {
    return [...this.#options.all()].filter(({ ready, stalled }) => ready && !stalled)
  }

  /** How many may be left out. */
  #allowed(awake: number): number {
    return Math.floor((awake * this.#options.policy.maxPercent) / 100)
  }
}

function percent(rate: number): string {
  return `${Math.round(rate * 100)} %`
}
