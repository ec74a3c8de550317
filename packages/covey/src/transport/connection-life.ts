import type { CoveyError } from '../error/covey-error.ts'
import type { Connection } from './transport.ts'

/** The life of a connection, open, perhaps draining, closed; for those that are more than one session. */
export class ConnectionLife {
  readonly closed: Promise<CoveyError | undefined>
  readonly #ended = Promise.withResolvers<CoveyError | undefined>()
  #state: Connection['state'] = 'open'

  constructor() {
    this.closed = this.#ended.promise
  }

  get state(): Connection['state'] {
    return this.#state
  }

  /** The other end takes no new calls. @returns whether that is news */
  drain(): boolean {
    if (this.#state !== 'open') return false
    this.#state = 'draining'
    return true
  }

  /** @param reason none if this side closed it @returns whether that is news */
  end(reason: CoveyError | undefined): boolean {
    if (this.#state === 'closed') return false
    this.#state = 'closed'
    this.#ended.resolve(reason)
    return true
  }
}
