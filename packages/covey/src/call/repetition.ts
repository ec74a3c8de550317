/** Wishes about how often a call may be sent. Those of a call win over those of its client, and these over its contract. */
export interface RepetitionOptions {
  /**
   * How often the call is sent at most, the first time included: 1 to 10, by default what `covey.retry.attempts` says (3). `false`
   * means once. It is sent again where it certainly was not run, or may be run twice (`idempotent`).
   */
  retry?: false | { readonly attempts: number }
  /**
   * Sends the call to another instance as well when there is no answer after `afterMs` milliseconds, and takes the first answer; the
   * others are cancelled. Choose the time within which 95 to 99 % of the answers come. `attempts`: how many may be on their way,
   * default 2. Only for idempotent unary methods. Default `false`.
   */
  hedge?: false | { readonly afterMs: number; readonly attempts?: number }
}

/** The same, checked and complete. */
export interface Repetition {
  /** Undefined: what is usual. */
  readonly maxAttempts: number | undefined
  readonly hedge: Hedge | undefined
}

/** How a call is hedged. */
export interface Hedge {
  readonly afterMs: number
  /** On their way at the same time, 2 or more. */
  readonly attempts: number
}

/** What decides whether a method may be hedged. */
interface Hedgeable {
  readonly kind: string
  readonly idempotent: boolean
}

const most = 10

/** Sent once, come what may. */
export const once: Repetition = Object.freeze({ maxAttempts: 1, hedge: undefined })

/**
 * The wishes of a call, and those of its client and its contract about what it says nothing of. Undefined when there are none,
 * so that calls without wishes cost nothing.
 * @param who for the message
 * @throws TypeError naming what is wrong
 */
export function toRepetition(
  { retry, hedge }: RepetitionOptions,
  who: string,
  inherited?: Repetition,
): Repetition | undefined {
  if (retry === undefined && hedge === undefined) return inherited
  return Object.freeze({
    maxAttempts: retry === undefined ? inherited?.maxAttempts : toAttempts(retry, who),
    hedge: hedge === undefined ? inherited?.hedge : toHedge(hedge, who),
  })
}

/** Whether sending such a call twice at the same time does no harm. */
export function canHedge({ kind, idempotent }: Hedgeable): boolean {
  return kind === 'unary' && idempotent
}

/** @throws TypeError if such a method is never hedged, but is asked to be */
export function requireHedgeable(
  method: Hedgeable,
  who: string,
  { hedge }: RepetitionOptions,
): void {
  if (hedge === undefined || hedge === false || canHedge(method)) return
  throw new TypeError(
    `${who}: hedge is for unary methods with \`idempotent: true\`, for a call may run more than once then`,
  )
}

function toAttempts(retry: NonNullable<RepetitionOptions['retry']> | false, who: string): number {
  return retry === false ? 1 : wholeNumber(retry.attempts, 1, `${who}: retry.attempts`)
}

function toHedge(hedge: NonNullable<RepetitionOptions['hedge']>, who: string): Hedge | undefined {
  if (hedge === false) return undefined
  const { afterMs, attempts = 2 } = hedge
  if (!(afterMs >= 0 && afterMs <= 3_600_000)) {
    throw new TypeError(`${who}: hedge.afterMs: expected milliseconds, found ${afterMs}`)
  }
  return Object.freeze({ afterMs, attempts: wholeNumber(attempts, 2, `${who}: hedge.attempts`) })
}

function wholeNumber(value: number, least: number, what: string): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new TypeError(`${what}: expected ${least} to ${most}, found ${value}`)
}
