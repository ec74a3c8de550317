import type { Call } from '../call/call.ts'
import type { BatchScope, Entry } from '../contract/entry.ts'
import type { Settled } from '../contract/settled.ts'
import { asCancelled } from '../error/as-cancelled.ts'
import { CoveyError } from '../error/covey-error.ts'

/** Wishes about a batch. */
export interface BatchOptions {
  /** Time for all of it in milliseconds; an entry can only shorten it. Default: each entry has its own. */
  timeoutMs?: number
  /** Cancels what is not done when it aborts. */
  signal?: AbortSignal
}

/** Calls by name, each made by `api.get.of(input)`. */
export type Entries = Readonly<Record<string, Entry>>

/** The results of a batch, under the names of its entries. */
export type BatchOutputs<E extends Entries> = {
  -readonly [Name in keyof E]: E[Name] extends Entry<infer Output> ? Output : never
}

/** What became of each entry of a batch. */
export type BatchSettled<E extends Entries> = {
  -readonly [Name in keyof E]: E[Name] extends Entry<infer Output> ? Settled<Output> : never
}

/** Entries of one batch at most. */
export const maxBatchEntries = 1_000

/**
 * Makes several calls at once and gives their results under the same names. Entries may be for different services and
 * clients; those that go to one instance leave in one write.
 *
 * @returns what all entries gave; `{}` for none
 * @throws CoveyError the first failure, with its code, its details and the name of its entry; the others are cancelled then.
 *   `INVALID_INPUT` for more than 1,000 entries or an entry called `__proto__`
 * @throws TypeError if something is no entry
 * @example
 * const { me, rooms } = await batch({ me: users.get.of({ id }), rooms: groups.list.of({ id }) })
 */
export async function batch<E extends Entries>(
  entries: E,
  options: BatchOptions = {},
): Promise<BatchOutputs<E>> {
  const names = namesOf(entries)
  const scope = new Scope(options)
  try {
    const values = await Promise.all(
      names.map((name) => entries[name]!.runIn(scope).catch((error) => fail(name, error))),
    )
    return combine(names, values) as BatchOutputs<E>
  } finally {
    scope.end(new CoveyError('CANCELLED', 'another entry of the batch failed'))
  }
}

/**
 * As `batch`, but each entry succeeds or fails by itself: none of them cancels another.
 * @throws CoveyError, TypeError only for entries that cannot be begun, as `batch`
 * @example
 * const { me } = await batch.settled({ me: users.get.of({ id }) }, { timeoutMs: 200 })
 * console.log(me.ok ? me.value : me.error.code)
 */
batch.settled = async function settled<E extends Entries>(
  entries: E,
  options: BatchOptions = {},
): Promise<BatchSettled<E>> {
  const names = namesOf(entries)
  const scope = new Scope(options)
  const values = await Promise.all(names.map((name) => settle(entries[name]!.runIn(scope))))
  scope.end()
  return combine(names, values) as BatchSettled<E>
}

/** The calls of one batch, with their common end. */
class Scope implements BatchScope {
  readonly timeoutMs: number
  readonly #signal: AbortSignal | undefined
  readonly #running = new Set<Call>()
  readonly #onAbort = () =>
    this.#cancel(asCancelled(this.#signal?.reason, 'the batch was cancelled by the caller'))
  #reason: CoveyError | undefined

  constructor({ timeoutMs = Number.POSITIVE_INFINITY, signal }: BatchOptions) {
    if (Number.isNaN(timeoutMs)) throw new TypeError('batch: timeoutMs is NaN')
    this.timeoutMs = timeoutMs
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (signal?.aborted) this.#onAbort()
  }

  opened(call: Call): void {
    if (this.#reason !== undefined) call.cancel(this.#reason)
    this.#running.add(call)
  }

  closed(call: Call): void {
    this.#running.delete(call)
  }

  /** Lets go of the signal, and cancels what still runs. */
  end(reason = new CoveyError('CANCELLED', 'the batch is over')): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#cancel(reason)
  }

  #cancel(reason: CoveyError): void {
    this.#reason ??= reason
    for (const call of this.#running) call.cancel(this.#reason)
  }
}

function namesOf(entries: Entries): string[] {
  const prototype = Object.getPrototypeOf(entries)
  // `{ __proto__: entry }` has no entry of that name: it has another prototype.
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError('batch: expected a plain object of entries; __proto__ is no name for one')
  }
  const names = Object.keys(entries)
  if (names.length > maxBatchEntries) {
    const message = `batch: ${names.length} entries, at most ${maxBatchEntries} fit into one`
    throw new CoveyError('INVALID_INPUT', message)
  }
  for (const name of names) {
    if (name === '__proto__') {
      throw new CoveyError('INVALID_INPUT', 'batch: __proto__ is no name for an entry')
    }
    if (typeof entries[name]?.runIn !== 'function') {
      throw new TypeError(`batch entry ${name}: expected what api.method.of(input) makes`)
    }
  }
  return names
}

function fail(name: string, thrown: unknown): never {
  const cause = CoveyError.from(thrown)
  const { code, details, path } = cause
  const error = new CoveyError(code, `batch entry ${name}: ${cause.message}`, { details, cause })
  if (path !== undefined) error.path = path
  throw error
}

function settle(result: Promise<unknown>): Promise<Settled<unknown>> {
  return result.then(
    (value) => ({ ok: true, value }),
    (error) => ({ ok: false, error: CoveyError.from(error) }),
  )
}

function combine(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]))
}
