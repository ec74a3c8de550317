import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { z } from 'zod'
import type { Schema } from '../base/schema.ts'
import { CoveyError } from '../error/covey-error.ts'
import { defineSettings, type SettingsDefinition } from './define-settings.ts'
import { loadSettings } from './load-settings.ts'

const cwd = await mkdtemp(join(tmpdir(), 'covey-settings-'))
after(() => rm(cwd, { recursive: true }))

const user = defineSettings('user', {
  database: z.string().default('data/user.db'),
  session: { ttlDays: z.number().int().positive().default(30), secure: z.boolean().default(true) },
  tags: z.array(z.string()).default([]),
})

/** Loads with one settings file of this text. */
async function load<const D extends readonly SettingsDefinition[]>(
  definitions: D,
  text: string,
  env: Record<string, string> = {},
) {
  await writeFile(join(cwd, 'config.yaml'), text)
  return loadSettings(definitions, { cwd, env })
}

async function messageOf(loading: Promise<unknown>): Promise<string> {
  const error = await loading.then(
    () => assert.fail('these settings are wrong'),
    (reason) => reason,
  )
  assert.ok(error instanceof CoveyError)
  assert.equal(error.code, 'INVALID_SETTINGS')
  return error.message
}

test('what nobody sets has its default', async () => {
  assert.deepEqual(await load([user], ''), {
    user: { database: 'data/user.db', session: { ttlDays: 30, secure: true }, tags: [] },
  })
})

test('a section or a group that is written but empty counts as not set', async () => {
  assert.equal((await load([user], 'user:\n')).user.session.ttlDays, 30)
  assert.equal((await load([user], 'user:\n  session:\n')).user.session.ttlDays, 30)
})

test('file, environment and code are laid over the defaults, each setting by itself', async () => {
  await writeFile(join(cwd, 'config.yaml'), 'user: { database: a, session: { ttlDays: 1 } }')
  await writeFile(join(cwd, 'local.yaml'), 'user: { tags: [b], session: { secure: false } }')
  const loaded = await loadSettings([user], {
    cwd,
    files: ['config.yaml', 'local.yaml'],
    env: { USER__SESSION__TTL_DAYS: '2', USER__TAGS: '["c"]' },
    overrides: { user: { tags: ['d'] } },
  })
  assert.deepEqual(loaded.user, {
    database: 'a',
    session: { ttlDays: 2, secure: false },
    tags: ['d'],
  })
})

/** Takes any text and falls back to `default`. */
const anyText: Schema<string | undefined, string> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'string' || value === undefined
        ? { value: value ?? 'default' }
        : { issues: [{ message: 'expected text' }] },
  },
}

const places = ['one', 'two', 'group.one', 'group.two', 'group.deep.one', 'other.one'] as const

/** For each source, the places that it sets. */
const layers = fc.record({
  first: fc.subarray([...places]),
  second: fc.subarray([...places]),
  environment: fc.subarray([...places]),
  code: fc.subarray([...places]),
})

function treeOf<T>(names: readonly string[], value: T): Record<string, unknown> {
  const tree: Record<string, unknown> = {}
  for (const name of names) {
    const keys = name.split('.')
    let group = tree
    for (const key of keys.slice(0, -1)) {
      group[key] ??= {}
      group = group[key] as Record<string, unknown>
    }
    group[keys.at(-1)!] = value
  }
  return tree
}

test('property: default < first file < second file < environment < code, for every setting', async () => {
  // The tree is built from a list of names, so its type is not known.
  const app = defineSettings('app', treeOf(places, anyText) as Record<string, Schema>)
  await fc.assert(
    fc.asyncProperty(layers, async ({ first, second, environment, code }) => {
      await writeFile(join(cwd, 'a.yaml'), stringify({ app: treeOf(first, 'first') }))
      await writeFile(join(cwd, 'b.yaml'), stringify({ app: treeOf(second, 'second') }))
      const variables = app.settings
        .filter(({ name }) => environment.some((place) => name === `app.${place}`))
        .map(({ variable }) => [variable, 'environment'])
      const loaded = await loadSettings([app], {
        cwd,
        files: ['a.yaml', 'b.yaml'],
        env: { ...Object.fromEntries(variables), ONE: 'x', APP_ONE: 'x', GROUP__ONE: 'x' },
        overrides: { app: treeOf(code, 'code') as Record<string, string> },
      })
      const sources = { default: places, first, second, environment, code }
      const expected: Record<string, unknown> = treeOf(places, 'default')
      for (const place of places) {
        const winner = Object.entries(sources).findLast(([, names]) => names.includes(place))
        const keys = place.split('.')
        const group = keys
          .slice(0, -1)
          .reduce((tree, key) => tree[key] as Record<string, unknown>, expected)
        group[keys.at(-1)!] = winner?.[0]
      }
      assert.deepEqual(loaded.app, expected)
    }),
    { numRuns: 200 },
  )
})

test('a variable is taken as text where the schema wants text, and as JSON otherwise', async () => {
  const kinds = defineSettings('kinds', {
    text: z.string(),
    number: z.number(),
    switch: z.boolean(),
    list: z.array(z.number()),
    group: z.object({ a: z.string() }),
    either: z.union([z.string(), z.number()]),
    coerced: z.coerce.number(),
    empty: z.string(),
  })
  const env = {
    KINDS__TEXT: '123',
    KINDS__NUMBER: '1.5',
    KINDS__SWITCH: 'false',
    KINDS__LIST: '[1, 2]',
    KINDS__GROUP: '{"a":"b"}',
    KINDS__EITHER: '7',
    KINDS__COERCED: '8',
    KINDS__EMPTY: '',
  }
  assert.deepEqual((await loadSettings([kinds], { files: [], env })).kinds, {
    text: '123',
    number: 1.5,
    switch: false,
    list: [1, 2],
    group: { a: 'b' },
    either: '7',
    coerced: 8,
    empty: '',
  })
})

test('real variables of a machine set nothing by accident', async () => {
  const env = {
    USER: 'root',
    USER_DATABASE: 'x',
    // What Kubernetes sets for a service that is called "user".
    USER_PORT: 'tcp://10.0.0.1:80',
    USER_SERVICE_HOST: '10.0.0.1',
    DATABASE: 'x',
  }
  const { user: loaded } = await load([user], '', env)
  assert.equal(loaded.database, 'data/user.db')
})

test('all problems are listed at once, with their place and what to do', async () => {
  const gateway = defineSettings('gateway', {
    port: z.number().max(65_535),
    origins: z.array(z.url()).default([]),
    publicUrl: z.url(),
    limits: { messages: z.number().default(5) },
  })
  const text = [
    'user:',
    '  session:',
    '    ttlDays: 0',
    '    ttl_day: 3',
    '  databse: x',
    '  ttlDays: 3',
    '  zebra: 1',
    'gateway:',
    '  origins: [http://a, b]',
    '  limits: 7',
    'usr: {}',
    'completelyElse: 1',
  ].join('\n')
  const env = { GATEWAY__PORT: '70000', USER__SESSION__TTLDAYS: '3', USER__SESSION__SECURE: 'yes' }
  const loading = load([user, gateway], text, env)
  assert.equal(
    await messageOf(loading),
    [
      '13 settings are wrong:',
      '  usr (config.yaml:11): unknown section; did you mean user?',
      '  completelyElse (config.yaml:12): unknown section',
      '  user.session.ttl_day (config.yaml:4): unknown setting; did you mean user.session.ttlDays?',
      '  user.databse (config.yaml:5): unknown setting; did you mean user.database?',
      '  user.ttlDays (config.yaml:6): unknown setting; did you mean user.session.ttlDays?',
      '  user.zebra (config.yaml:7): unknown setting',
      '  gateway.limits (config.yaml:10): is a group, not a value; it has: messages',
      '  USER__SESSION__TTLDAYS: unknown variable; did you mean USER__SESSION__TTL_DAYS?',
      '  user.session.ttlDays (config.yaml:3): Too small: expected number to be >0',
      '  user.session.secure (USER__SESSION__SECURE): Invalid input: expected boolean, received string',
      '  gateway.port (GATEWAY__PORT): Too big: expected number to be <=65535',
      '  gateway.origins.1 (config.yaml:9): Invalid URL',
      '  gateway.publicUrl (not set): is required; give gateway.publicUrl in the settings file, or set GATEWAY__PUBLIC_URL',
    ].join('\n'),
  )
  const error = await loading.catch((reason) => reason)
  assert.equal(error.details.problems.length, 13)
  assert.deepEqual(error.details.problems[8], {
    path: 'user.session.ttlDays',
    source: 'config.yaml:3',
    message: 'Too small: expected number to be >0',
  })
})

test('the message for a variable is about the reading that the schema wants', async () => {
  const kinds = defineSettings('kinds', { long: z.string().min(5), many: z.array(z.number()) })
  const env = { KINDS__LONG: '123', KINDS__MANY: '[1, "x"]' }
  assert.equal(
    await messageOf(loadSettings([kinds], { files: [], env })),
    [
      '2 settings are wrong:',
      '  kinds.long (KINDS__LONG): Too small: expected string to have >=5 characters',
      '  kinds.many.1 (KINDS__MANY): Invalid input: expected number, received string',
    ].join('\n'),
  )
})

test('a mistake of syntax is reported with line and column, and hides no problem elsewhere', async () => {
  const strict = defineSettings('strict', { port: z.number(), host: z.string() })
  const message = await messageOf(load([strict], 'strict:\n  host: [a\n', { STRICT__PORT: 'x' }))
  assert.equal(
    message,
    [
      '2 settings are wrong:',
      '  config.yaml:3:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
      '  strict.port (STRICT__PORT): Invalid input: expected number, received string',
    ].join('\n'),
  )
})

test('the value of a secret is never shown, whatever its schema says of it', async () => {
  const quoting: Schema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => ({
        issues: [{ message: `${JSON.stringify(value)?.slice(0, 9)} is wrong`, path: ['hunter2'] }],
      }),
    },
  }
  const throwing: Schema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value) {
        throw new Error(`cannot check ${value}`)
      },
    },
  }
  const mail = defineSettings('mail', {
    password: quoting,
    apiKey: throwing,
    tokens: { list: quoting },
    pinSecret: quoting,
    lengthSecret: z.string().min(40),
    title: quoting,
  })
  const text = 'mail:\n  password: hunter2\n  tokens:\n    list: [hunter2]\n  pinSecret: 7\n'
  const env = { MAIL__API_KEY: 'HUNTER2', MAIL__LENGTH_SECRET: 'xyxyxy', MAIL__TITLE: 'open' }
  assert.equal(
    await messageOf(load([mail], text, env)),
    [
      '6 settings are wrong:',
      '  mail.password (config.yaml:2): does not fit (its name says that it is secret)',
      '  mail.apiKey (MAIL__API_KEY): does not fit (its name says that it is secret)',
      '  mail.tokens.list (config.yaml:4): does not fit (its name says that it is secret)',
      '  mail.pinSecret (config.yaml:5): does not fit (its name says that it is secret)',
      '  mail.lengthSecret (MAIL__LENGTH_SECRET): Too small: expected string to have >=40 characters',
      '  mail.title.hunter2 (MAIL__TITLE): "open" is wrong',
    ].join('\n'),
  )
})

test('property: no run of four letters of a secret gets into a message', async () => {
  const vault = defineSettings('vault', { secret: z.literal('never') })
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 4, maxLength: 40 }), async (secret) => {
      fc.pre(secret !== 'never' && secret !== '"never"')
      const env = { VAULT__SECRET: secret }
      const message = await messageOf(loadSettings([vault], { files: [], env }))
      const told = message.slice(message.indexOf('VAULT__SECRET): ') + 16).toLowerCase()
      const general = 'does not fit (its name says that it is secret)'
      for (let start = 0; told !== general && start + 4 <= secret.length; start++) {
        assert.ok(!told.includes(secret.slice(start, start + 4).toLowerCase()), message)
      }
    }),
  )
})

test('sections of other programs may stand in the file when they are named', async () => {
  await writeFile(join(cwd, 'config.yaml'), 'gateway: { anything: 1 }\nuser: { database: x }\n')
  const options = { cwd, env: {}, knownSections: ['gateway'] }
  assert.equal((await loadSettings([user], options)).user.database, 'x')
  await assert.rejects(loadSettings([user], { cwd, env: {} }), { code: 'INVALID_SETTINGS' })
})

test('the default file may be absent; one that was asked for has to exist', async () => {
  const empty = await mkdtemp(join(cwd, 'empty-'))
  const { user: loaded } = await loadSettings([user], { cwd: empty, env: {} })
  assert.equal(loaded.database, 'data/user.db')
  const asked = [{ files: ['mine.yaml'], env: {} }, { env: { COVEY_CONFIG: 'mine.yaml' } }]
  for (const options of asked) {
    assert.equal(
      await messageOf(loadSettings([user], { cwd: empty, ...options })),
      '1 setting is wrong:\n  mine.yaml: the file does not exist',
    )
  }
})

test('COVEY_CONFIG names the file that is read instead', async () => {
  const path = join(cwd, 'production.yaml')
  await writeFile(path, 'user: { database: production }')
  await writeFile(join(cwd, 'config.yaml'), 'user: { database: x, tags: [x] }')
  const { user: loaded } = await loadSettings([user], { cwd, env: { COVEY_CONFIG: path } })
  assert.deepEqual([loaded.database, loaded.tags], ['production', []])
  const given = await loadSettings([user], { cwd, env: { COVEY_CONFIG: '' } })
  assert.equal(given.user.database, 'x')
})

test('what is loaded is frozen in any depth, and what was given is left as it is', async () => {
  const tags = ['a']
  const overrides = { user: { tags } }
  const loaded = await loadSettings([user], { files: [], env: {}, overrides })
  for (const part of [loaded, loaded.user, loaded.user.session, loaded.user.tags]) {
    assert.ok(Object.isFrozen(part))
  }
  tags.push('b')
  assert.deepEqual(loaded.user.tags, ['a'])
})

test('keys of JSON in a variable cannot change a prototype', async () => {
  const loose = defineSettings('loose', { value: z.record(z.string(), z.unknown()) })
  const env = { LOOSE__VALUE: '{"a":{"__proto__":{"polluted":1}}}' }
  assert.equal(
    await messageOf(loadSettings([loose], { files: [], env })),
    '1 setting is wrong:\n  loose.value.a.__proto__ (LOOSE__VALUE): the key __proto__ is not allowed',
  )
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test('names that every object has are no sections and no settings', async () => {
  const message = await messageOf(load([user], 'constructor: { x: 1 }\nuser: { toString: x }'))
  assert.equal(
    message,
    [
      '2 settings are wrong:',
      '  constructor (config.yaml:1): unknown section',
      '  user.toString (config.yaml:2): unknown setting',
    ].join('\n'),
  )
})

test('a schema may answer later', async () => {
  const later = defineSettings('later', { name: z.string().refine(async (name) => name !== 'no') })
  const given = (name: string) =>
    loadSettings([later], { files: [], env: {}, overrides: { later: { name } } })
  assert.equal((await given('yes')).later.name, 'yes')
  assert.equal(
    await messageOf(given('no')),
    '1 setting is wrong:\n  later.name (overrides): Invalid input',
  )
})

test('a file with very many wrong keys gives a message of bounded length', async () => {
  const keys = Array.from({ length: 20_000 }, (_, n) => `key${n}: 1`)
  const text = `${keys.join('\n')}\nuser:\n  ${keys.join('\n  ')}\n`
  assert.ok((await messageOf(load([user], text))).split('\n').length < 110)
})

test('a section that is defined twice is a mistake of the program', async () => {
  await assert.rejects(loadSettings([user, user], { files: [], env: {} }), {
    name: 'TypeError',
    message: 'section user is defined twice',
  })
})
