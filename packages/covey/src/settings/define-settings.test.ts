import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineSettings, type SettingsOf, variablePrefix } from './define-settings.ts'

const user = defineSettings('user', {
  database: z.string().default('data/user.db'),
  session: { ttlDays: z.number().default(30), maxURLLength: z.number(), http2Port: z.number() },
  peers: z.array(z.object({ url: z.string() })),
})

test('a definition knows the place, the name and the variable of each setting', () => {
  assert.deepEqual(
    user.settings.map(({ name, variable }) => [name, variable]),
    [
      ['user.database', 'USER__DATABASE'],
      ['user.session.ttlDays', 'USER__SESSION__TTL_DAYS'],
      ['user.session.maxURLLength', 'USER__SESSION__MAX_URL_LENGTH'],
      ['user.session.http2Port', 'USER__SESSION__HTTP2_PORT'],
      ['user.peers', 'USER__PEERS'],
    ],
  )
  assert.equal(variablePrefix('chatGateway'), 'CHAT_GATEWAY__')
})

test('names that look secret are marked, wherever in the path they stand', () => {
  const { settings } = defineSettings('mail', {
    apiKey: z.string(),
    host: z.string(),
    smtpPassword: z.string(),
    tokens: { first: z.string() },
    clientSecret: z.string(),
  })
  const secret = settings.filter((setting) => setting.secret).map(({ name }) => name)
  assert.deepEqual(secret, [
    'mail.apiKey',
    'mail.smtpPassword',
    'mail.tokens.first',
    'mail.clientSecret',
  ])
})

test('names that are no camelCase, or that every object has, are refused', () => {
  for (const section of ['User', 'user-data', 'user.data', '', '9lives', 'constructor']) {
    assert.throws(() => defineSettings(section, {}), TypeError, section)
  }
  for (const key of ['ttl_days', 'TTL', 'a.b', '', '__proto__', 'toString', 'constructor']) {
    const tree = Object.defineProperty({}, key, { value: z.string(), enumerable: true })
    const message = { name: 'TypeError', message: /use camelCase/ }
    assert.throws(() => defineSettings('user', tree), message, key)
  }
})

test('two settings with one variable are refused', () => {
  assert.throws(() => defineSettings('user', { aBC: z.string(), aBc: z.string() }), {
    name: 'TypeError',
    message: 'settings user.aBC and user.aBc are the same variable, USER__A_BC',
  })
})

test('what is neither a schema nor a group is refused', () => {
  for (const wrong of [undefined, null, 5, 'text', [], new Date(), {}]) {
    // A caller without types can pass anything.
    const tree = { wrong } as unknown as Record<string, never>
    assert.throws(() => defineSettings('user', tree), {
      message: 'setting user.wrong: neither a schema nor a group of settings',
    })
  }
})

test('the types of the settings are those the schemas make, read-only in any depth', () => {
  type User = SettingsOf<typeof user>
  const settings: User = {
    database: '',
    session: { ttlDays: 1, maxURLLength: 2, http2Port: 3 },
    peers: [{ url: '' }],
  }
  const change = () => {
    // @ts-expect-error: read-only
    settings.session.ttlDays = 5
    // @ts-expect-error: read-only in a value
    settings.peers[0].url = ''
    // @ts-expect-error: a number
    const text: string = settings.session.ttlDays
    return text
  }
  assert.equal(typeof change, 'function')
})
