import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { until } from 'covey/testing'
import { type Browser, chromium } from 'playwright-core'
import { Fleet } from './fleet.ts'
import { Ledger } from './ledger.ts'
import { Network } from './network.ts'
import { Services } from './services.ts'
import { type Account, UserPage } from './user-page.ts'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const adaAccount: Account = { username: 'ada', password: 'correct horse', nickname: 'Ada Lovelace' }
const bobAccount: Account = {
  username: 'bob.marsh',
  password: 'battery staple',
  nickname: 'Bob 🦉',
}
const bobName = bobAccount.nickname
const adaName = adaAccount.nickname

/** Time for a push, or for a process to come back, in milliseconds. */
const limitMs = 30_000

const skip = existsSync(executablePath) ? false : 'there is no Chromium'

describe('two people chat', { skip }, () => {
  let fleet: Fleet
  /** Ada comes over a network that breaks; Bob's is good. */
  let network: Network
  let browser: Browser
  let ada: UserPage
  let bob: UserPage
  const ledger = new Ledger()
  const written: string[] = []

  before(async () => {
    fleet = await Fleet.start()
    browser = await chromium.launch({ executablePath, args: chromiumArgs })
    network = await Network.start(fleet.url)
    ada = await UserPage.open(browser, network.url, adaAccount)
    bob = await UserPage.open(browser, fleet.url, bobAccount)
  })

  after(async () => {
    await browser?.close()
    network?.stop()
    assert.equal(await fleet?.stop(), 0)
  })

  /** Writes on a page and notes what was written. */
  async function write(user: UserPage, text: string): Promise<void> {
    written.push(text)
    await user.write(text)
  }

  /** Notes what the server has acknowledged so far. */
  async function noteAcknowledged(): Promise<void> {
    ledger.note(await ada.acknowledged())
    ledger.note(await bob.acknowledged())
  }

  test('both create an account; what is wrong is said at the field', async () => {
    await ada.page.getByLabel('Username').fill('ada')
    await ada.page.getByLabel('Password').fill('short')
    await ada.page.getByLabel('Nickname').fill('Ada')
    await ada.page.getByRole('button', { name: 'Create account' }).click()
    await ada.page.getByText('At least 8 characters.').waitFor()
    assert.equal(await ada.page.getByLabel('Password').getAttribute('aria-invalid'), 'true')
    await ada.register()
    await bob.page.getByLabel('Username').fill('ADA')
    await bob.page.getByLabel('Password').fill(bobAccount.password)
    await bob.page.getByLabel('Nickname').fill(bobName)
    await bob.page.getByRole('button', { name: 'Create account' }).click()
    await bob.page.getByText('This username is taken').waitFor()
    await bob.register()
  })

  test('a wrong password is refused, the right one lets in, and a reload keeps the session', async () => {
    await ada.logOut()
    await ada.page.getByLabel('Password').fill('wrong password')
    await ada.page.getByRole('button', { name: 'Log in' }).click()
    await ada.page.getByText('Username or password is wrong.').waitFor()
    await ada.logIn()
    await ada.reload()
  })

  test('a request appears at once; refused it goes and says so, accepted it makes friends on both sides', async () => {
    await ada.askFriend('bob', bobName, 'It is me, Ada')
    await bob.request(adaName).getByText('It is me, Ada').waitFor()
    await bob.request(adaName).getByRole('button', { name: 'Refuse' }).click()
    await bob.request(adaName).waitFor({ state: 'detached' })
    await ada.refusal(bobName).getByText('has refused your request').waitFor()
    await ada.page.getByRole('button', { name: 'Add friend' }).waitFor()
    await ada.refusal(bobName).getByRole('button', { name: 'Close' }).click()
    await ada.refusal(bobName).waitFor({ state: 'detached' })
    await ada.askFriend('MARSH', bobName, '')
    await bob.request(adaName).getByRole('button', { name: 'Accept' }).click()
    await ada.friend(bobName).getByText('Online').waitFor()
    await bob.friend(adaName).getByText('Online').waitFor()
  })

  test('a message goes from clock to read, and the other side sees it live', async () => {
    await ada.openChat(bobName)
    await write(ada, 'Hello Bob')
    await ada.waitForMark('Hello Bob', 'Delivered')
    await bob.chat(adaName).getByText('Hello Bob').waitFor()
    await bob.chat(adaName).getByLabel('1 unread').waitFor()
    assert.equal(await bob.page.title(), '(1) Covey Chat')
    await bob.openChat(adaName)
    await bob.waitForMessage('Hello Bob')
    await ada.waitForMark('Hello Bob', 'Read')
    await bob.chat(adaName).getByLabel('1 unread').waitFor({ state: 'detached' })
    await write(bob, 'Hello Ada')
    await ada.waitForMessage('Hello Ada')
    await bob.waitForMark('Hello Ada', 'Read')
    await noteAcknowledged()
  })

  test('text stays exactly as it was written, and is never HTML', async () => {
    const texts = [
      'first line\nsecond line',
      '<img src=x onerror="document.title=1"><b>bold?</b> &amp; "quoted"',
      '日本語 עברית Žluťoučký 👩🏽‍🚀🇪🇺 e\u0301',
    ]
    for (const text of texts) await write(ada, text)
    for (const text of texts) {
      await bob.waitForMessage(text)
      await ada.waitForMark(text, 'Read')
    }
    assert.equal(await bob.log.locator('img, b').count(), 0)
    await noteAcknowledged()
  })

  test('presence follows the pages', async () => {
    await bob.page.close()
    await ada.friend(bobName).getByText('Offline').waitFor()
    const back = await UserPage.open(browser, fleet.url, bobAccount, { context: bob.context })
    back.complaints.push(...bob.complaints)
    bob = back
    await bob.inside()
    await ada.friend(bobName).getByText('Online').waitFor()
  })

  test('what was sent while somebody was away is there on login, in order, counted', async () => {
    await bob.logOut()
    await ada.friend(bobName).getByText('Offline').waitFor()
    for (const text of ['away 1', 'away 2', 'away 3']) await write(ada, text)
    await ada.waitForMark('away 3', 'Stored')
    await bob.logIn()
    await bob.chat(adaName).getByLabel('3 unread').waitFor()
    await bob.chat(adaName).getByText('away 3').waitFor()
    await bob.openChat(adaName)
    await ada.waitForMark('away 3', 'Read')
    const texts = (await bob.history()).map(({ text }) => text)
    assert.deepEqual(texts.slice(-3), ['away 1', 'away 2', 'away 3'])
    await noteAcknowledged()
  })

  test('a long history loads in pages as one scrolls up, and does not jump', async () => {
    await using services = new Services(fleet)
    const senderId = await services.userId(adaAccount)
    for (let number = 1; number <= 120; number++) {
      const text = `older ${number}`
      written.push(text)
      ledger.note([await services.send(senderId, await conversationId(), text)])
    }
    await bob.reload()
    await bob.waitForMessage('older 120')
    const drawn = () => bob.log.locator('.message').count()
    assert.equal(await drawn(), 50)
    const topOf = (text: string) =>
      bob.message(text).evaluate((element) => element.getBoundingClientRect().top)
    const anchor = (await bob.log.locator('.message .text').first().textContent()) ?? ''
    await bob.log.evaluate((log) => log.scrollTo({ top: 120 }))
    const before = await topOf(anchor)
    await until(async () => (await drawn()) === 100, 'the older page is there', limitMs)
    assert.ok(Math.abs((await topOf(anchor)) - before) < 2, 'the history jumped')
    const history = await bob.history()
    assert.equal(history.length, written.length)
  })

  test('a message service killed in the middle loses nothing and doubles nothing', async () => {
    let killed = 0
    for (let number = 1; number <= 12; number++) {
      await write(ada, `ada ${number}`)
      await write(bob, `bob ${number}`)
      if (number === 4) killed = await fleet.kill('message')
    }
    await ada.waitForMark('ada 12', 'Read')
    await bob.waitForMark('bob 12', 'Read')
    await ada.waitForMessage('bob 12')
    await bob.waitForMessage('ada 12')
    assert.notEqual(await fleet.pidOf('message'), killed)
    await noteAcknowledged()
  })

  test('a killed gateway is told of, and what was written meanwhile goes out once', async () => {
    const lost = [ada, bob].map(({ page }) => page.getByText(/Connection lost/).waitFor())
    await fleet.kill('gateway')
    await Promise.all(lost)
    await write(ada, 'written without a gateway')
    await write(bob, 'so was this')
    await ada.waitForMark('written without a gateway', 'Read')
    await bob.waitForMark('so was this', 'Read')
    await ada.page.getByText(/Connection lost/).waitFor({ state: 'detached' })
    await noteAcknowledged()
  })

  test('a page without a network keeps what is written, and catches up when it returns', async () => {
    await ada.context.setOffline(true)
    network.allow('nothing')
    await ada.page.getByText('You are offline').waitFor()
    await write(ada, 'offline 1')
    await write(ada, 'offline 2')
    await write(bob, 'meanwhile')
    await bob.waitForMark('meanwhile', 'Stored')
    await ada.friend(bobName).waitFor()
    await ada.waitForMark('offline 2', 'Sending')
    await bob.friend(adaName).getByText('Offline').waitFor()
    network.allow('all')
    await ada.context.setOffline(false)
    await ada.waitForMessage('meanwhile')
    await ada.waitForMark('offline 2', 'Read')
    await bob.waitForMessage('offline 2')
    await bob.waitForMark('meanwhile', 'Read')
    await noteAcknowledged()
  })

  test('a connection that breaks again and again loses nothing and doubles nothing', async () => {
    for (let number = 1; number <= 6; number++) {
      await write(ada, `shaky ${number}`)
      network.allow('http')
      await write(bob, `steady ${number}`)
      network.allow('all')
    }
    await ada.waitForMark('shaky 6', 'Read')
    await ada.waitForMessage('steady 6')
    await bob.waitForMark('steady 6', 'Read')
    await noteAcknowledged()
  })

  test('an unsent message survives a reload', async () => {
    network.allow('http')
    await ada.page.getByText('Connection lost').waitFor()
    await write(ada, 'kept over a reload')
    await ada.waitForMark('kept over a reload', 'Sending')
    await ada.page.reload()
    await ada.page.getByText('Connection lost').waitFor()
    network.allow('all')
    await ada.waitForMark('kept over a reload', 'Read')
    await noteAcknowledged()
  })

  test('a draft stays with its chat', async () => {
    await ada.page.getByLabel('Message').fill('half a sent')
    await ada.reload()
    assert.equal(await ada.page.getByLabel('Message').inputValue(), 'half a sent')
    await ada.page.getByLabel('Message').fill('')
  })

  test('on a phone the lists and the chat are two screens', async () => {
    await ada.page.setViewportSize({ width: 390, height: 844 })
    await ada.page.getByLabel('Message').waitFor()
    assert.equal(await ada.page.getByLabel('Find people').isVisible(), false)
    await ada.page.getByRole('button', { name: 'Back' }).click()
    await ada.page.getByLabel('Find people').waitFor()
    assert.equal(await ada.page.getByLabel('Message').count(), 0)
    await ada.openChat(bobName)
    await ada.page.goBack()
    await ada.page.getByLabel('Find people').waitFor()
    await ada.page.setViewportSize({ width: 1280, height: 800 })
    await ada.openChat(bobName)
  })

  test('logging out in one tab leaves no chat behind and ends the other tab, with a word', async () => {
    const tab = await UserPage.open(browser, network.url, adaAccount, { context: ada.context })
    await tab.inside()
    await tab.openChat(bobName)
    // The tab hears that its session has ended before it hears the answer to its own wish.
    const refused = tab.page.waitForResponse((response) => response.status() === 401)
    let notices = 0
    await tab.page.route('**/api/session', async (route) => {
      const response = await route.fetch()
      await refused
      await tab.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(drawn)))
      notices = await tab.page.getByText('Your session has ended').count()
      await route.fulfill({ response })
    })
    await tab.logOut()
    assert.equal(notices, 0, 'it is no news to who has asked for it')
    const hash = await tab.page.evaluate(() => location.hash)
    assert.equal(hash, '', 'the address leads nobody else to this chat')
    await tab.page.close()
    await ada.page.getByText('Your session has ended').waitFor()
    await ada.logIn()
    await ada.openChat(bobName)
  })

  test('every acknowledged message is in both histories once, in order, without holes', async () => {
    await noteAcknowledged()
    await using services = new Services(fleet)
    const histories = {
      'page of Ada': await ada.history(),
      'page of Bob': await bob.history(),
      'message service': await services.history(
        await services.userId(bobAccount),
        await conversationId(),
      ),
    }
    for (const [name, history] of Object.entries(histories)) {
      ledger.check(name, history)
      assert.deepEqual(history.map(({ text }) => text).sort(), [...written].sort(), name)
    }
    assert.equal(ledger.size, written.length)
  })

  test('nothing on the page was refused by its policy, broke, or came from elsewhere', () => {
    assert.deepEqual([...ada.complaints, ...bob.complaints], [])
  })

  /** Id of the conversation that is open on Ada's page. */
  async function conversationId(): Promise<string> {
    const hash = await ada.page.evaluate(() => location.hash)
    return hash.slice('#/c/'.length)
  }
})
