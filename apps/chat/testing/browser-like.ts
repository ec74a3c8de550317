import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Client } from 'covey'
import { createWebClient, type LinkInfo, type LinkState, type WebClient } from 'covey/client'
import { chat } from '../contracts/chat.ts'
import type { Person } from '../contracts/people.ts'
import type { ChatEvent } from '../contracts/push.ts'

/** What a page does, without the page: a cookie, tickets, a WebSocket, events. */
export class BrowserLike {
  readonly events: ChatEvent[] = []
  readonly states: { state: LinkState; info: LinkInfo }[] = []
  user: Person | undefined
  #url: string
  #cookie: string | undefined
  #link: WebClient | undefined
  readonly #test: TestContext

  constructor(test: TestContext, url: string) {
    this.#test = test
    this.#url = url
    test.after(() => this.#link?.close())
  }

  /** Asks a route of the gateway it is at. */
  async ask(method: string, path: string, body?: object, url = this.#url): Promise<Response> {
    const headers = new Headers({ origin: url })
    if (this.#cookie !== undefined) headers.set('cookie', this.#cookie)
    if (body !== undefined) headers.set('content-type', 'application/json')
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(10_000) }
    const answer = await fetch(url + path, body ? { ...init, body: JSON.stringify(body) } : init)
    const cookie = answer.headers.get('set-cookie')
    if (cookie !== null) this.#cookie = cookie.split(';')[0]!
    return answer
  }

  async register(username: string): Promise<Person> {
    const body = { username, password: `secret of ${username}`, nickname: username.toUpperCase() }
    const answer = await this.ask('POST', '/api/accounts', body)
    assert.equal(answer.status, 201, await answer.clone().text())
    this.user = (await answer.json()).user
    return this.user!
  }

  /** Opens the WebSocket, with tickets of `ticketsFrom`, and follows the events for as long as the test runs. */
  connect(ticketsFrom = this.#url): Client<typeof chat> {
    this.#link = createWebClient({
      url: `${this.#url.replace('http', 'ws')}/rpc`,
      credential: async () => {
        const answer = await this.ask('POST', '/api/session/ticket', {}, ticketsFrom)
        if (!answer.ok) throw new Error(`no ticket: ${answer.status}`)
        return (await answer.json()).ticket
      },
      onState: (state, info) => this.states.push({ state, info }),
    })
    const api = this.#link.client(chat)
    void this.#follow(api, this.#link)
    return api
  }

  /** Goes to another gateway, as a balancer would send it. */
  async moveTo(url: string): Promise<Client<typeof chat>> {
    await this.#link?.close()
    this.#url = url
    return this.connect()
  }

  of<T extends ChatEvent['type']>(type: T): Extract<ChatEvent, { type: T }>[] {
    return this.events.filter((e): e is Extract<ChatEvent, { type: T }> => e.type === type)
  }

  async #follow(api: Client<typeof chat>, link: WebClient): Promise<void> {
    while (link.state !== 'closed' && !this.#test.signal.aborted) {
      try {
        for await (const event of api.events()) this.events.push(event)
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
}
