import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../observe/log.ts'
import { rareWarning } from '../../observe/rare-warning.ts'

/** Time between two lines about one address, in milliseconds. */
const quietMs = 60_000

/** Addresses that get lines of their own in that time; strangers who have many must not fill the log. */
const maxAddresses = 16

interface Said {
  times: number
  atMs: number
}

/** Says that connections are refused, once a minute for each address, with how many there were. */
export class RefusalLog {
  readonly #log: Log | undefined
  readonly #clock: Clock
  readonly #said = new Map<string, Said>()
  readonly #others: ReturnType<typeof rareWarning>

  constructor(log: Log | undefined, clock: Clock) {
    this.#log = log
    this.#clock = clock
    this.#others = rareWarning(log, clock, quietMs)
  }

  refused(address: string, why: string): void {
    const message = `connections are refused: ${why}`
    const now = this.#clock.monotonicMs()
    const said = this.#said.get(address) ?? this.#begin(address, now)
    if (said === undefined) return this.#others({ address, addresses: 'many' }, message)
    said.times += 1
    if (now - said.atMs < quietMs) return
    this.#log?.warn({ address, times: said.times }, message)
    said.atMs = now
    said.times = 0
  }

  #begin(address: string, now: number): Said | undefined {
    for (const [other, { atMs }] of this.#said) {
      if (now - atMs >= quietMs) this.#said.delete(other)
    }
    if (this.#said.size >= maxAddresses) return undefined
    const said = { times: 0, atMs: Number.NEGATIVE_INFINITY }
    this.#said.set(address, said)
    return said
  }
}
