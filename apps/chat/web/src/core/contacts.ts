import { type Clock, CoveyError } from 'covey/client'
import type { FoundPerson, FriendRequest, Person, Relation } from '../../../contracts/people.ts'
import type { ChatEvent } from '../../../contracts/push.ts'
import { addPeople } from './changes.ts'
import type { ChatApi } from './chat-api.ts'
import type { ChatState } from './chat-state.ts'
import { errorText } from './error-text.ts'
import { keepTrying } from './keep-trying.ts'
import type { Store } from './store.ts'

/** What {@link Contacts} works with. */
export interface ContactsOptions {
  readonly api: Pick<
    ChatApi,
    'findPeople' | 'requestFriend' | 'requests' | 'answerRequest' | 'friends'
  >
  readonly store: Store<ChatState>
  readonly clock: Clock
  readonly random: () => number
  readonly onTrouble: (failing: boolean) => void
  readonly report: (error: unknown) => void
}

type ContactEvent = Extract<
  ChatEvent,
  { type: 'friendRequest' | 'requestAnswered' | 'friendAdded' | 'presence' }
>

/** Refusals that are shown at most; whoever asks so many is told of the last ones. */
const maxRefusals = 5

/** Friends, requests and the search for people. */
export class Contacts {
  readonly #options: ContactsOptions
  #period: AbortSignal | undefined
  #pulling: AbortSignal | undefined
  /** Grows with each change that an older answer of the server would undo. */
  #changes = 0
  #searches = 0

  constructor(options: ContactsOptions) {
    this.#options = options
  }

  /** The server can be reached until `period` aborts. */
  resume(period: AbortSignal): void {
    this.#period = period
    this.refresh()
  }

  /** Pulls friends and requests, unless that is going on already. */
  refresh(): void {
    const signal = this.#period
    if (signal === undefined || signal.aborted || this.#pulling === signal) return
    this.#pulling = signal
    void this.#pull(signal)
  }

  /** Takes what was pushed. */
  receive(event: ContactEvent): void {
    const { store } = this.#options
    if (event.type === 'presence') {
      const { userId, online } = event.change
      store.update((state) => ({ ...state, online: new Map(state.online).set(userId, online) }))
      return
    }
    this.#changes += 1
    if (event.type === 'friendRequest') this.#addRequest(event.request)
    else if (event.type === 'friendAdded') this.#addFriend(event.friend)
    else this.#applyAnswer(event.request)
    this.refresh()
  }

  /** Looks for people by username or nickname; the outcome is in `search` of the state. */
  async find(text: string): Promise<void> {
    const { api, store } = this.#options
    const wanted = text.trim()
    this.#searches += 1
    const search = this.#searches
    if (wanted === '') return store.update((state) => ({ ...state, search: { kind: 'none' } }))
    store.update((state) => ({ ...state, search: { kind: 'searching', text: wanted } }))
    try {
      const people = await api.findPeople({ text: wantedText(wanted) })
      if (search !== this.#searches) return
      store.update((state) => ({ ...state, search: { kind: 'found', text: wanted, people } }))
    } catch (thrown) {
      if (search !== this.#searches) return
      const problem = errorText(CoveyError.from(thrown))
      store.update((state) => ({ ...state, search: { kind: 'failed', text: wanted, problem } }))
    }
  }

  /**
   * Asks somebody to be friends.
   * @returns what went wrong, as a sentence; empty when it was sent
   */
  async request(userId: string, note: string): Promise<string> {
    const { api } = this.#options
    try {
      const { state, to } = await api.requestFriend({ userId, note })
      this.dismissRefusal(to.id)
      this.#setRelation(to.id, state === 'accepted' ? 'friend' : 'requested')
      this.#changes += 1
      this.refresh()
      return ''
    } catch (error) {
      if (api.requestFriend.isError(error, 'ALREADY_FRIENDS')) this.#setRelation(userId, 'friend')
      else if (api.requestFriend.isError(error, 'ALREADY_REQUESTED')) {
        this.#setRelation(userId, 'requested')
      } else return errorText(CoveyError.from(error))
      return ''
    }
  }

  /**
   * Accepts or refuses a request.
   * @returns what went wrong, as a sentence; empty when it was answered
   */
  async answer(requestId: string, accept: boolean): Promise<string> {
    const { api } = this.#options
    try {
      const { from } = await api.answerRequest({ requestId, accept })
      this.#changes += 1
      this.#removeRequest(requestId)
      if (accept) this.#addFriend(from)
      else this.#setRelation(from.id, 'none')
      this.refresh()
      return ''
    } catch (error) {
      if (!api.answerRequest.isError(error, 'REQUEST_GONE')) {
        return errorText(CoveyError.from(error))
      }
      this.#changes += 1
      this.#removeRequest(requestId)
      this.refresh()
      return ''
    }
  }

  /** Forgets that somebody has refused. */
  dismissRefusal(userId: string): void {
    this.#options.store.update((state) => ({
      ...state,
      refusals: state.refusals.filter(({ id }) => id !== userId),
    }))
  }

  async #pull(signal: AbortSignal): Promise<void> {
    const { clock, random, onTrouble, report } = this.#options
    const pull = () => this.#pullOnce(signal)
    try {
      // An answer that something newer has overtaken is dropped, and asked for again.
      for (let changes = -1; changes !== this.#changes; ) {
        changes = this.#changes
        await keepTrying(pull, { clock, random, signal, onTrouble })
      }
    } catch (error) {
      if (!signal.aborted) report(error)
    } finally {
      if (this.#pulling === signal) this.#pulling = undefined
    }
  }

  async #pullOnce(signal: AbortSignal): Promise<void> {
    const { api, store } = this.#options
    const changes = this.#changes
    const [friends, requests, found] = await Promise.all([
      api.friends(undefined, { signal }),
      api.requests(undefined, { signal }),
      this.#findAgain(signal),
    ])
    if (changes !== this.#changes) return
    store.update((state) => {
      const online = new Map(state.online)
      for (const friend of friends) {
        if (!online.has(friend.id)) online.set(friend.id, friend.online)
      }
      return addPeople({ ...state, friends, requests, online }, friends)
    })
    for (const { id, relation } of found) this.#setRelation(id, relation)
  }

  /** The answer to a request that is shown as sent may have been pushed while nobody listened here. */
  async #findAgain(signal: AbortSignal): Promise<readonly FoundPerson[]> {
    const { search } = this.#options.store.get()
    if (search.kind !== 'found') return []
    const waits = search.people.some(({ relation }) => relation === 'requested')
    return waits ? this.#options.api.findPeople({ text: wantedText(search.text) }, { signal }) : []
  }

  #addRequest(request: FriendRequest): void {
    this.#options.store.update((state) => {
      const others = (state.requests ?? []).filter(({ id }) => id !== request.id)
      return { ...state, requests: [request, ...others] }
    })
    this.#setRelation(request.from.id, 'asking')
  }

  /** Both sides hear of an answer, on all their pages; of being accepted they hear as `friendAdded`. */
  #applyAnswer({ id: requestId, from, to, state: answer }: FriendRequest): void {
    const { store } = this.#options
    this.#removeRequest(requestId)
    const asked = from.id === store.get().me.id
    if (answer !== 'refused') return
    this.#setRelation(asked ? to.id : from.id, 'none')
    if (!asked) return
    store.update((state) => {
      const others = state.refusals.filter(({ id }) => id !== to.id)
      return { ...state, refusals: [to, ...others].slice(0, maxRefusals) }
    })
  }

  #addFriend(friend: Person): void {
    this.dismissRefusal(friend.id)
    this.#options.store.update((state) => {
      const others = (state.friends ?? []).filter(({ id }) => id !== friend.id)
      return addPeople({ ...state, friends: [...others, friend] }, [friend])
    })
    this.#setRelation(friend.id, 'friend')
  }

  #removeRequest(requestId: string): void {
    this.#options.store.update((state) => ({
      ...state,
      requests: state.requests?.filter(({ id }) => id !== requestId),
    }))
  }

  /** Keeps the list of found people right while things happen. */
  #setRelation(userId: string, relation: Relation): void {
    this.#options.store.update((state) => {
      if (state.search.kind !== 'found') return state
      const people = state.search.people.map((person) =>
        person.id === userId ? { ...person, relation } : person,
      )
      return { ...state, search: { ...state.search, people } }
    })
  }
}

/** The server takes no longer text; what is beyond it would find the same. */
function wantedText(text: string): string {
  return text.slice(0, 40)
}
