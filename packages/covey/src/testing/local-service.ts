import { type Clock, systemClock } from '../base/clock.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import type { Call } from '../call/call.ts'
import { currentCall, keepContext } from '../call/call-storage.ts'
import { compose } from '../call/handler.ts'
import type { Identity } from '../call/peer.ts'
import type { Client } from '../contract/client.ts'
import type { Contract, Methods } from '../contract/define-contract.ts'
import type { Service } from '../contract/define-service.ts'
import { CoveyError } from '../error/covey-error.ts'
import { type Log, silentLog } from '../observe/log.ts'
import type { AcceptedWork } from '../rpc/accepted-work.ts'
import { clientStack } from '../rpc/client-stack.ts'
import { contractClient } from '../rpc/contract-client.ts'
import { createAcceptedWork } from '../rpc/create-accepted-work.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import { resultService } from '../rpc/result-service.ts'
import { defaultLimits } from '../transport/limits.ts'
import { createMemoryTransport } from '../transport/memory/memory-transport.ts'
import type { Connection, Listener, Transport } from '../transport/transport.ts'

/** What a {@link LocalService} may be given. */
export interface LocalServiceOptions {
  clock?: Clock
  log?: Log
}

const address = 'memory:local'

/**
 * A service in the process of a test, behind the whole of the client's and the server's stack, that can be
 * killed and started again.
 * @example
 * const users = new LocalService(usersService)
 * const api = users.client({ subject: 'u_7', claims: {} })
 * await users.kill()
 */
export class LocalService<Name extends string, M extends Methods> {
  readonly #service: Service<Name, M>
  readonly #clock: Clock
  readonly #log: Log
  readonly #wheel: TimerWheel
  readonly #transport: Transport = createMemoryTransport()
  #listener: Promise<Listener> | undefined
  #dead = false
  // Who the connection that is being opened belongs to; connecting in memory asks at once.
  #opening: Identity | undefined

  constructor(service: Service<Name, M>, options: LocalServiceOptions = {}) {
    this.#service = service
    this.#clock = options.clock ?? systemClock
    this.#log = options.log ?? silentLog
    this.#wheel = new TimerWheel(this.#clock)
  }

  /** Functions of the contract, over a connection of their own that `identity` has opened. */
  client(identity?: Identity): Client<Contract<Name, M>> {
    let connection: Connection | undefined
    const invoke = async (call: Call) => {
      if (connection?.state !== 'open') connection = await this.#connect(identity)
      return connection.invoke(call)
    }
    return contractClient(this.#service.contract as Contract<Name, M>, {
      clock: this.#clock,
      currentCall,
      keepContext,
      invoke: compose(clientStack({ wheel: this.#wheel, middleware: [] }), invoke),
    })
  }

  /** Breaks all calls and takes no more, until `restart`. */
  async kill(): Promise<void> {
    this.#dead = true
    const listener = await this.#listener
    this.#listener = undefined
    await listener?.close()
  }

  /** Takes calls again. */
  restart(): void {
    this.#dead = false
  }

  async #connect(identity: Identity | undefined): Promise<Connection> {
    if (this.#dead) throw new CoveyError('UNAVAILABLE', 'nobody listens')
    this.#listener ??= this.#listen()
    await this.#listener
    this.#opening = identity
    return this.#transport.connect(address, { limits: defaultLimits, clock: this.#clock })
  }

  #listen(): Promise<Listener> {
    const work = localWork(this.#clock, this.#log)
    const services = [this.#service as unknown as Service, resultService(work)]
    const dispatcher = createDispatcher(services, {
      instance: work.instance,
      work,
      wheel: this.#wheel,
      log: this.#log,
      middleware: [],
    })
    return this.#transport.listen(address, dispatcher, {
      limits: defaultLimits,
      clock: this.#clock,
      authenticate: async () => this.#opening,
    })
  }
}

/** Results of submitted calls live as long as the server does. */
function localWork(clock: Clock, log: Log): AcceptedWork {
  return createAcceptedWork({ instance: 'local', clock, log, limits: defaultLimits })
}
