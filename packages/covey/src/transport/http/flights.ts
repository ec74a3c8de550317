import type { CoveyError } from '../../error/covey-error.ts'

/** A call that is on its way. */
export interface Flight {
  /** Gives it up. */
  fail(reason: CoveyError): void
}

/** The calls of one connection that have no result yet. */
export class Flights {
  /** The last of them has ended. */
  onNone: () => void = () => {}
  readonly #flights = new Set<Flight>()

  get size(): number {
    return this.#flights.size
  }

  add(flight: Flight): void {
    this.#flights.add(flight)
  }

  delete(flight: Flight): void {
    if (this.#flights.delete(flight) && this.#flights.size === 0) this.onNone()
  }

  /** Gives all up. */
  fail(reason: CoveyError): void {
    for (const flight of [...this.#flights]) flight.fail(reason)
  }
}
