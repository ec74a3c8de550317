import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseSettings, readSettingsFile } from './read-settings-file.ts'

const directory = await mkdtemp(join(tmpdir(), 'covey-settings-'))
after(() => rm(directory, { recursive: true }))

function problemsOf(text: string): string[] {
  return parseSettings('config.yaml', text).problems.map(
    ({ path, source, message }) => `${path}|${source}|${message}`,
  )
}

test('values keep their line, also inside lists, groups and aliases', () => {
  const text = [
    'defaults: &defaults',
    '  days: 3',
    'user:',
    '  peers:',
    '    - url: a',
    '    - url: b',
    '  session: *defaults',
    '  flow: { one: 1,',
    '    two: 2 }',
  ].join('\n')
  const { layer, problems } = parseSettings('config.yaml', text)
  assert.deepEqual(problems, [])
  assert.deepEqual(layer?.data.user, {
    peers: [{ url: 'a' }, { url: 'b' }],
    session: { days: 3 },
    flow: { one: 1, two: 2 },
  })
  const lines = [
    [['user'], 3],
    [['user', 'peers'], 4],
    [['user', 'peers', '1', 'url'], 6],
    [['user', 'peers', '9', 'url'], 4],
    [['user', 'session', 'days'], 2],
    [['user', 'flow', 'two'], 9],
    [['user', 'absent', 'deeper'], 3],
  ] as const
  for (const [path, line] of lines) {
    assert.equal(layer?.sourceOf(path), `config.yaml:${line}`, path.join('.'))
  }
  assert.equal(layer?.sourceOf(['absent']), 'config.yaml')
})

test('an empty file has no settings', () => {
  for (const text of ['', '\n\n', '# a comment\n', '---\n', 'null\n']) {
    const { layer, problems } = parseSettings('config.yaml', text)
    assert.deepEqual([layer?.data, problems], [{}, []])
  }
})

test('a mistake of syntax has a line and a column', () => {
  assert.deepEqual(problemsOf('user:\n  a: b: c\n'), [
    '|config.yaml:2:6|Nested mappings are not allowed in compact mappings',
  ])
  assert.deepEqual(problemsOf('user:\n\ta: 1\n'), [
    '|config.yaml:2:1|Tabs are not allowed as indentation',
  ])
  assert.deepEqual(problemsOf('a: 1\n---\nb: 1\n'), [
    '|config.yaml:2:1|a second document begins here; take out the line ---',
  ])
  assert.match(problemsOf('? [a]\n: 1\n')[0] ?? '', /^\|config.yaml:1:3\|.*keys must be strings/)
})

test('a key that stands twice is a mistake, in any depth', () => {
  assert.deepEqual(problemsOf('user:\n  a: 1\n  b: [{ c: 1, c: 2 }]\n  a: 2\n'), [
    '|config.yaml:3:15|this key stands twice in its group',
    '|config.yaml:4:3|this key stands twice in its group',
  ])
})

test('the text of a file gets into no message, for it may be a secret', () => {
  for (const value of [
    '!hunter2',
    '*hunter2',
    '@hunter2',
    '"hunter2',
    "'hunter2' hunter2",
    '"\\hunter2"',
    '[hunter2',
    '{hunter2',
    'hunter2: hunter2',
    '| hunter2',
    '&hunter2 &hunter2 x',
    '- hunter2',
    'x\nhunter2',
  ]) {
    const problems = problemsOf(`user:\n  password: ${value}\n`)
    assert.ok(problems.length > 0, value)
    assert.doesNotMatch(problems.join(), /hunter2|unter2/, value)
  }
})

test('sections have to be names', () => {
  const expected = ['|config.yaml|the top of the file has to be names of sections']
  assert.deepEqual(problemsOf('just text'), expected)
  assert.deepEqual(problemsOf('[a, b]'), expected)
})

test('keys that change prototypes, cycles and deep nesting are refused, with their place', () => {
  assert.deepEqual(problemsOf('user:\n  a:\n    __proto__: { x: 1 }\n'), [
    'user.a.__proto__|config.yaml:3|the key __proto__ is not allowed',
  ])
  assert.match(problemsOf('user:\n  a: &a [*a]\n')[0] ?? '', /config.yaml:2\|nested deeper than 32/)
  const deep = `user: ${'['.repeat(40)}${']'.repeat(40)}`
  assert.match(problemsOf(deep)[0] ?? '', /config.yaml:1\|nested deeper than 32/)
  assert.match(problemsOf(`user: ${'['.repeat(20_000)}`)[0] ?? '', /^\|config.yaml:1:/)
  assert.equal(({} as { x?: unknown }).x, undefined)
})

test('aliases that would fill the memory are refused', () => {
  const lines = ['k0: &a0 [x, x]']
  for (let n = 1; n < 40; n++) lines.push(`k${n}: &a${n} [*a${n - 1}, *a${n - 1}]`)
  const message = 'an alias (*name) has no anchor (&name) before it, or there are too many'
  assert.deepEqual(problemsOf(lines.join('\n')), [`|config.yaml|${message}`])
})

test('many keys take no more than linear time', () => {
  const text = Array.from({ length: 50_000 }, (_, n) => `k${n}: v`).join('\n')
  const before = performance.now()
  assert.equal(Object.keys(parseSettings('config.yaml', text).layer?.data ?? {}).length, 50_000)
  assert.ok(performance.now() - before < 20_000, 'comparing all pairs takes over a minute')
})

test('a file may be absent unless somebody asked for it', async () => {
  assert.deepEqual(await readSettingsFile('none.yaml', directory, false), { problems: [] })
  assert.deepEqual(await readSettingsFile('none.yaml', directory, true), {
    problems: [{ path: '', source: 'none.yaml', message: 'the file does not exist' }],
  })
})

test('a file that is too large, no text or no file is refused', async () => {
  await writeFile(join(directory, 'large.yaml'), `a: ${'x'.repeat(1024 * 1024)}`)
  await writeFile(join(directory, 'latin.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xe4]))
  await mkdir(join(directory, 'folder.yaml'))
  const messages: string[] = []
  for (const name of ['large.yaml', 'latin.yaml', 'folder.yaml', '/dev/zero']) {
    const { problems } = await readSettingsFile(name, directory, true)
    messages.push(...problems.map(({ source, message }) => `${source}: ${message}`))
  }
  assert.deepEqual(messages, [
    'large.yaml: the file is larger than 1 MiB',
    'latin.yaml: the file is not UTF-8 text',
    'folder.yaml: the file cannot be read (EISDIR)',
    '/dev/zero: the file is larger than 1 MiB',
  ])
})
