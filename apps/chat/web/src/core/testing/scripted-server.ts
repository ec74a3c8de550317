import { type CallOptions, CoveyError } from 'covey/client'
import type { Message, Receipt } from '../../../../contracts/messages.ts'
import type { FriendRequest, Person, Relation } from '../../../../contracts/people.ts'
import type { ChatEvent } from '../../../../contracts/push.ts'
import type { ChatApi } from '../chat-api.ts'
import { EventQueue } from './event-queue.ts'
import { ScriptedConversations } from './scripted-conversations.ts'

/** What becomes of a push. `held` ones come later, newest first. */
export type Fate = 'delivered' | 'dropped' | 'doubled' | 'held'

/**
 * The server side of the chat contract for the page of one user, in memory. It keeps the promises that
 * the real one makes (sequence without gaps, client ids unique, receipts that only grow) and takes its
 * faults from the test: lost pushes, lost answers, refused calls, broken connections.
 */
export class ScriptedServer {
  readonly me: Person
  /** Whose connection it is; another one when somebody else has logged in. */
  caller: Person
  readonly api: ChatApi
  readonly people = new Map<string, Person>()
  readonly friends: Person[] = []
  requests: FriendRequest[] = []
  /** Names of the calls that arrived, with their input. */
  readonly calls: { readonly name: string; readonly input: unknown }[] = []
  /** Errors that the next calls of a method get instead of an answer. */
  readonly refusals = new Map<string, CoveyError[]>()
  /** Answers of a method that are ready stay back until the promise settles. */
  readonly delays = new Map<string, Promise<void>>()
  /** Sends that are stored but whose answer is lost. */
  lostAnswers = 0
  /** What found people are to the page's user; `none` where nothing is said. */
  readonly relations = new Map<string, Relation>()
  /** What becomes of pushes. */
  fate: Fate = 'delivered'
  /** Conversations in one page of their list. */
  listPage = 100
  readonly #conversations = new ScriptedConversations()
  readonly #streams = new Set<EventQueue<ChatEvent>>()
  readonly #waiting = new Set<() => void>()
  #held: ChatEvent[] = []
  #connected = false

  constructor(me: Person) {
    this.me = me
    this.caller = me
    this.people.set(me.id, me)
    this.api = this.#makeApi()
  }

  /** Makes a friend with an empty conversation; returns the id of the conversation. */
  befriend(friend: Person): string {
    this.friends.push(friend)
    this.people.set(friend.id, friend)
    const id = `c_with_${friend.id}`
    this.#conversations.open(id, [this.me.id, friend.id])
    return id
  }

  /** All messages of a conversation, as they are stored. */
  history(id: string): readonly Message[] {
    return this.#conversations.history(id)
  }

  /** How far somebody has come, as it is stored. */
  receipt(id: string, userId: string): Receipt {
    return this.#conversations.receipt(id, userId)
  }

  /** Stores a message of anybody and pushes it; the same client id gives the first result again. */
  store(conversationId: string, senderId: string, clientId: string, text: string): Message {
    const draft = { conversationId, senderId, clientId, text }
    const { message, fresh } = this.#conversations.store(draft)
    if (fresh) this.push({ type: 'message', message })
    return message
  }

  /** Moves a receipt and pushes it. */
  acknowledge(
    conversationId: string,
    userId: string,
    deliveredSeq: number,
    readSeq: number,
  ): Receipt {
    const mark = { deliveredSeq, readSeq }
    const receipt = this.#conversations.acknowledge(conversationId, userId, mark)
    this.push({ type: 'receipt', receipt })
    return receipt
  }

  /** Sends an event to the page, or does with it what `fate` says. */
  push(event: ChatEvent): void {
    if (this.fate === 'dropped') return
    if (this.fate === 'held') return void this.#held.push(event)
    for (const stream of this.#streams) {
      stream.push(event)
      if (this.fate === 'doubled') stream.push(event)
    }
  }

  /** Sends what was held back, the newest first. */
  release(): void {
    const held = this.#held.reverse()
    this.#held = []
    for (const event of held) for (const stream of this.#streams) stream.push(event)
  }

  /** The page can reach the server. */
  connect(): void {
    this.#connected = true
    for (const go of this.#waiting) go()
    this.#waiting.clear()
  }

  /** The connection breaks: streams end, and so does every call in flight. */
  disconnect(): void {
    this.#connected = false
    this.#held = []
    this.cutOff(lost())
  }

  /** Ends the streams of events with an error; the connection stays. */
  cutOff(error: CoveyError): void {
    for (const stream of this.#streams) stream.fail(error)
    this.#streams.clear()
  }

  async *#events(options: CallOptions = {}): AsyncGenerator<ChatEvent> {
    const signal = options.signal ?? new AbortController().signal
    while (!this.#connected) await this.#untilConnected(signal)
    const stream = new EventQueue<ChatEvent>(signal)
    this.#streams.add(stream)
    try {
      yield { type: 'ready' }
      for (const { id } of this.friends) {
        yield { type: 'presence', change: { userId: id, online: true } }
      }
      yield* stream
    } finally {
      this.#streams.delete(stream)
    }
  }

  #untilConnected(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(resolve)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  }

  #send(input: { conversationId: string; clientId: string; text: string }): Message {
    const message = this.store(input.conversationId, this.me.id, input.clientId, input.text)
    if (this.lostAnswers === 0) return message
    this.lostAnswers -= 1
    throw lost()
  }

  #list({ after = '0' }: { after?: string | undefined }) {
    const all = this.#conversations.list()
    const end = Number(after) + this.listPage
    return {
      conversations: all.slice(Number(after), end),
      people: [...this.people.values()],
      next: end < all.length ? String(end) : null,
    }
  }

  #answer(requestId: string, accept: boolean): FriendRequest {
    const request = this.requests.find(({ id }) => id === requestId)
    if (request === undefined) throw new CoveyError('REQUEST_GONE', 'gone')
    this.requests = this.requests.filter(({ id }) => id !== requestId)
    if (accept) this.befriend(request.from)
    return { ...request, state: accept ? 'accepted' : 'refused' }
  }

  #ask(userId: string, note: string): FriendRequest {
    const to = this.people.get(userId)
    if (to === undefined) throw new CoveyError('NO_SUCH_USER', 'nobody')
    return { id: 'r_asked', from: this.me, to, note, sentAtMs: 0, state: 'open' }
  }

  #makeApi(): ChatApi {
    const { me } = this
    return {
      me: this.#unary('me', () => this.caller),
      findPeople: this.#unary('findPeople', ({ text }) =>
        [...this.people.values()]
          .filter(({ nickname }) => nickname.toLowerCase().includes(text.toLowerCase()))
          .map((person) => ({ ...person, relation: this.relations.get(person.id) ?? 'none' })),
      ),
      requestFriend: this.#unary('requestFriend', ({ userId, note = '' }) =>
        this.#ask(userId, note),
      ),
      requests: this.#unary('requests', () => [...this.requests]),
      answerRequest: this.#unary('answerRequest', ({ requestId, accept }) =>
        this.#answer(requestId, accept),
      ),
      friends: this.#unary('friends', () =>
        this.friends.map((friend) => ({ ...friend, online: false })),
      ),
      conversations: this.#unary('conversations', (input) => this.#list(input)),
      openDirect: this.#unary('openDirect', ({ friendId }) =>
        this.#conversations.get(`c_with_${friendId}`),
      ),
      send: this.#unary('send', (input) => this.#send(input)),
      messages: this.#unary('messages', (input) => this.#conversations.messages(input)),
      acknowledge: this.#unary('acknowledge', ({ conversationId, deliveredSeq = 0, readSeq = 0 }) =>
        this.acknowledge(conversationId, me.id, deliveredSeq, readSeq),
      ),
      events: Object.assign((_input: undefined, options?: CallOptions) => this.#events(options), {
        isError,
      }) as unknown as ChatApi['events'],
    }
  }

  /** One method: refusals first, then the answer, a moment later and only over a whole connection. */
  #unary<Name extends keyof ChatApi>(
    name: Name,
    answer: (input: Parameters<ChatApi[Name]>[0]) => unknown,
  ): ChatApi[Name] {
    const call = async (input: Parameters<ChatApi[Name]>[0], options: CallOptions = {}) => {
      options.signal?.throwIfAborted()
      if (!this.#connected) throw new CoveyError('UNAVAILABLE', 'not connected')
      await Promise.resolve()
      this.calls.push({ name, input })
      const refusal = this.refusals.get(name)?.shift()
      if (refusal !== undefined) throw refusal
      const result = answer(input)
      await this.delays.get(name)
      options.signal?.throwIfAborted()
      if (!this.#connected) throw lost()
      return result
    }
    return Object.assign(call, { isError }) as unknown as ChatApi[Name]
  }
}

function isError(error: unknown, code: string): boolean {
  return error instanceof CoveyError && error.code === code
}

function lost(): CoveyError {
  return new CoveyError('CONNECTION_LOST', 'the connection broke')
}
