import { until } from 'covey/testing'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import type { Entry } from './ledger.ts'

/** Somebody who uses the chat. */
export interface Account {
  readonly username: string
  readonly password: string
  readonly nickname: string
}

/** Time for anything on the page, restarts of processes included, in milliseconds. */
const patienceMs = 30_000

/** Words under which the page tells how far an own message has come. */
export type MarkName = 'Sending' | 'Stored' | 'Delivered' | 'Read'

/** The page of one person in a browser of their own, and what they do on it. */
export class UserPage {
  readonly account: Account
  readonly context: BrowserContext
  readonly page: Page
  /** What the browser complained of: errors of scripts, refused by policy, other hosts. */
  readonly complaints: string[] = []
  readonly #url: string

  private constructor(url: string, account: Account, context: BrowserContext, page: Page) {
    this.#url = url
    this.account = account
    this.context = context
    this.page = page
    page.setDefaultTimeout(patienceMs)
    page.on('pageerror', ({ message }) => this.complaints.push(message))
    page.on('console', (line) => {
      if (/content security policy/i.test(line.text())) this.complaints.push(line.text())
    })
    page.on('request', (request) => {
      if (new URL(request.url()).host !== new URL(url).host) this.complaints.push(request.url())
    })
  }

  /** Opens the page in a context of its own, or in the one of another page as a second tab. */
  static async open(
    browser: Browser,
    url: string,
    account: Account,
    options: { width?: number; height?: number; context?: BrowserContext } = {},
  ): Promise<UserPage> {
    const { width = 1280, height = 800 } = options
    const context = options.context ?? (await browser.newContext({ viewport: { width, height } }))
    const user = new UserPage(url, account, context, await context.newPage())
    await user.page.goto(url)
    return user
  }

  async register(): Promise<void> {
    const { nickname, password, username } = this.account
    await this.page.getByLabel('Username').fill(username)
    await this.page.getByLabel('Password').fill(password)
    await this.page.getByLabel('Nickname').fill(nickname)
    await this.page.getByRole('button', { name: 'Create account' }).click()
    await this.inside()
  }

  async logIn(): Promise<void> {
    const { password, username } = this.account
    await this.page.getByLabel('Username').fill(username)
    await this.page.getByLabel('Password').fill(password)
    await this.page.getByRole('button', { name: 'Log in' }).click()
    await this.inside()
  }

  async logOut(): Promise<void> {
    await this.page.getByRole('button', { name: 'Log out' }).click()
    await this.page.getByLabel('Username').waitFor()
  }

  /** Waits until the lists are there. */
  async inside(): Promise<void> {
    await this.page.getByLabel('Find people').waitFor()
    await this.page.getByRole('list', { name: 'Friends' }).waitFor({ state: 'attached' })
    await until(
      async () => (await this.page.locator('.skeleton').count()) === 0,
      `the lists of ${this.account.nickname} are loaded`,
      patienceMs,
    )
  }

  async reload(): Promise<void> {
    await this.page.reload()
    await this.inside()
  }

  /** Finds somebody and asks them to be friends. */
  async askFriend(text: string, nickname: string, note: string): Promise<void> {
    await this.page.getByLabel('Find people').fill(text)
    await this.page.getByLabel('Find people').press('Enter')
    const found = this.page.getByRole('listitem').filter({ hasText: nickname })
    await found.getByRole('button', { name: 'Add friend' }).click()
    await this.page.getByLabel('Note').fill(note)
    await this.page.getByRole('button', { name: 'Send request' }).click()
    await found.getByText('Request sent').waitFor()
  }

  /** The request of somebody. */
  request(nickname: string): Locator {
    const list = this.page.getByRole('list', { name: 'Requests' })
    return list.getByRole('listitem').filter({ hasText: nickname })
  }

  /** The word that somebody has refused a request of this user. */
  refusal(nickname: string): Locator {
    const list = this.page.getByRole('list', { name: 'Refused requests' })
    return list.getByRole('listitem').filter({ hasText: nickname })
  }

  /** Somebody under "Friends". */
  friend(nickname: string): Locator {
    const list = this.page.getByRole('list', { name: 'Friends' })
    return list.getByRole('listitem').filter({ hasText: nickname })
  }

  /** The chat with somebody in the list of chats. */
  chat(nickname: string): Locator {
    const list = this.page.getByRole('list', { name: 'Chats' })
    return list.getByRole('listitem').filter({ hasText: nickname })
  }

  async openChat(nickname: string): Promise<void> {
    await this.friend(nickname).getByRole('button').click()
    await this.log.waitFor()
  }

  get log(): Locator {
    return this.page.getByRole('log')
  }

  /** Writes into "Message" and presses Enter; lines are parted by Shift+Enter. */
  async write(text: string): Promise<void> {
    const box = this.page.getByLabel('Message')
    const [first = '', ...more] = text.split('\n')
    await box.fill(first)
    for (const line of more) {
      await box.press('Shift+Enter')
      await box.pressSequentially(line)
    }
    await box.press('Enter')
  }

  /** The bubble with exactly this text. */
  message(text: string): Locator {
    const exact = this.page.locator('.text').filter({ hasText: exactly(text) })
    return this.log.locator('.message').filter({ has: exact })
  }

  /** Waits until an own message has come this far. */
  async waitForMark(text: string, ...marks: MarkName[]): Promise<void> {
    const ticks = this.message(text).getByRole('img')
    let last: string | null = null
    await until(
      async () => {
        last = (await ticks.count()) === 1 ? await ticks.getAttribute('aria-label') : null
        return marks.some((mark) => mark === last)
      },
      `"${text}" of ${this.account.nickname} is ${marks.join(' or ')}`,
      patienceMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${last}`)
    })
  }

  async waitForMessage(text: string): Promise<void> {
    await this.message(text).waitFor()
  }

  /** Own messages that the page shows as stored: the server has acknowledged them. */
  async acknowledged(): Promise<Entry[]> {
    const entries = await this.#entries('.message.mine')
    return entries.filter(({ seq }) => seq > 0)
  }

  /** The whole history, after scrolling to its beginning. */
  async history(): Promise<Entry[]> {
    const top = () => this.log.evaluate((log) => log.scrollTo({ top: 0 }))
    const firstSeq = async () => (await this.#entries('.message'))[0]?.seq
    await until(
      async () => {
        await top()
        return (await firstSeq()) === 1
      },
      'the history is loaded to its beginning',
      patienceMs,
    )
    return this.#entries('.message')
  }

  /** Messages that are drawn now, in their order. */
  async #entries(selector: string): Promise<Entry[]> {
    return this.log.locator(selector).evaluateAll((items) =>
      items.map((item) => ({
        seq: Number(item.getAttribute('data-seq')),
        clientId: item.getAttribute('data-client-id') ?? '',
        text: item.querySelector('.text')?.textContent ?? '',
      })),
    )
  }
}

function exactly(text: string): RegExp {
  return new RegExp(`^${RegExp.escape(text)}$`)
}
