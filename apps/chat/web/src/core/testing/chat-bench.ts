import { FakeClock } from 'covey/testing'
import type { Person } from '../../../../contracts/people.ts'
import { Chat } from '../chat.ts'
import type { ConversationState, Outgoing } from '../chat-state.ts'
import { type KeyValueStorage, memoryStorage } from '../key-value-storage.ts'
import { ScriptedServer } from './scripted-server.ts'

export const ada: Person = { id: 'u_ada00000', username: 'ada', nickname: 'Ada' }
export const bob: Person = { id: 'u_bob00000', username: 'bob', nickname: 'Bob' }

/** The page of Ada, before a scripted server on which Bob is her friend; time stands still. */
export class ChatBench {
  readonly clock = new FakeClock()
  readonly server = new ScriptedServer(ada)
  readonly storage: KeyValueStorage = memoryStorage()
  /** The conversation with Bob. */
  readonly id = this.server.befriend(bob)
  readonly reports: unknown[] = []
  /** Texts that Ada wrote, in their order. */
  readonly written: string[] = []
  expired = 0
  chat: Chat
  #ids = 0

  constructor() {
    this.chat = this.#openPage()
  }

  /** The connection is there; everything that follows from it is done when this resolves. */
  async connect(): Promise<void> {
    this.server.connect()
    this.chat.linkChanged({ kind: 'open' })
    await this.settle()
  }

  /** The connection breaks, and stays broken. */
  async disconnect(): Promise<void> {
    this.server.disconnect()
    this.chat.linkChanged({ kind: 'waiting', retryInMs: 500 })
    await this.settle()
  }

  /** Closes the page and opens it again, on the same device, without a connection. */
  async reload(): Promise<void> {
    this.server.disconnect()
    this.chat.stop()
    this.chat = this.#openPage()
    await this.settle()
  }

  /** Lets a second pass: time for every answer, and for receipts to be told. */
  settle(): Promise<void> {
    return this.clock.advance(1_000)
  }

  /** Bob writes. */
  bobWrites(text: string): void {
    this.server.store(this.id, bob.id, `bob-${++this.#ids}-id`, text)
  }

  /** Ada writes the next text. */
  write(): void {
    const text = `from Ada ${this.written.length}`
    this.written.push(text)
    this.chat.outbox.add(this.id, text)
  }

  get conversation(): ConversationState | undefined {
    return this.chat.state.get().conversations?.get(this.id)
  }

  /** Texts of the loaded history. */
  get texts(): string[] {
    return this.conversation?.timeline?.messages.map(({ text }) => text) ?? []
  }

  get outgoing(): readonly Outgoing[] {
    return this.chat.state.get().outgoing.get(this.id) ?? []
  }

  /** Inputs of the calls of one method that reached the server. */
  callsOf(name: string): unknown[] {
    return this.server.calls.filter((call) => call.name === name).map(({ input }) => input)
  }

  #openPage(): Chat {
    const chat = new Chat({
      api: this.server.api,
      me: ada,
      storage: this.storage,
      clock: this.clock,
      random: () => 0.5,
      newId: () => `ada-${++this.#ids}-id`,
      onExpired: () => {
        this.expired += 1
      },
      report: (error) => this.reports.push(error),
    })
    chat.start()
    return chat
  }
}
