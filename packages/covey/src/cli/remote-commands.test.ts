import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { App } from '../app/app.ts'
import { createApp } from '../app/create-app.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { serverStream, unary } from '../contract/method.ts'
import { createRuntime, type Runtime } from '../rpc/runtime.ts'

const command = fileURLToPath(new URL('../../bin/covey.ts', import.meta.url))

const users = defineContract('users', {
  get: unary({
    input: z.object({ id: z.string() }),
    output: z.object({ id: z.string(), born: z.date(), tenant: z.string() }),
    errors: { USER_GONE: z.object({ id: z.string() }) },
  }),
  born: unary({ input: z.object({ at: z.date(), id: z.bigint() }), output: z.string() }),
  count: serverStream({ input: z.object({ to: z.number() }), output: z.number() }),
})

const usersService = defineService(users, {
  get({ id }, call) {
    if (id === '0') throw call.error('USER_GONE', { id })
    return { id, born: new Date(0), tenant: call.metadata.get('tenant') ?? '' }
  },
  born: ({ at, id }) => `${at.getUTCFullYear()} ${id * 2n}`,
  async *count({ to }) {
    for (let n = 1; n <= to; n++) yield n
  },
})

let folder: string
let runtime: Runtime
let app: App

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'covey-cli-'))
  runtime = createRuntime({ registry: `file:${join(folder, '.covey/registry')}` })
  app = createApp({ name: 'users', services: [usersService], runtime, ownsProcess: false })
  await app.start()
})

after(async () => {
  await app.stop()
  await runtime.close()
  await rm(folder, { recursive: true })
})

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function covey(args: readonly string[], input = ''): Promise<Outcome> {
  const child: ChildProcess = spawn(process.execPath, [command, ...args], { cwd: folder })
  child.stdin?.end(input)
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (text) => {
    stdout += text
  })
  child.stderr?.on('data', (text) => {
    stderr += text
  })
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const ada = '{"id":"7","born":"1970-01-01T00:00:00.000Z","tenant":"blue"}\n'

test('call finds the service in the registry of the project', async () => {
  const { code, stdout, stderr } = await covey([
    'call',
    'users.get',
    '{"id":"7"}',
    '-m',
    'tenant=blue',
  ])
  assert.deepEqual([code, stdout, stderr], [0, ada, ''])
})

test('call takes an address and input from a file or from standard input', async () => {
  await writeFile(join(folder, 'input.json'), '{"id":"7"}')
  const target = app.address.replace('tcp://', '')
  const args = ['call', 'users.get', '-t', target, '--meta', 'tenant=blue']
  const [file, piped] = await Promise.all([
    covey([...args, '@input.json']),
    covey([...args, '-'], '{"id":"7"}'),
  ])
  assert.deepEqual([file.stdout, piped.stdout], [ada, ada])
})

test('call shows the elements of a stream a line each, and may leave it', async () => {
  const [all, some] = await Promise.all([
    covey(['call', 'users.count', '{"to":3}', '--stream']),
    covey(['call', 'users.count', '{"to":1000000}', '--limit', '2']),
  ])
  assert.deepEqual([all.code, all.stdout], [0, '1\n2\n3\n'])
  assert.deepEqual([some.code, some.stdout], [0, '1\n2\n'])
})

test('an error of the call is shown with its code and details; exit code 1', async () => {
  const { code, stdout, stderr } = await covey(['call', 'users.get', '{"id":"0"}'])
  assert.deepEqual([code, stdout], [1, ''])
  assert.equal(stderr, 'covey: users.get: USER_GONE\n{\n  "id": "0"\n}\n')
})

test('what is mistyped is named, with what was probably meant', async () => {
  const wrong: [string[], RegExp][] = [
    [['call', 'users.gett', '{}'], /no method of users "gett"; did you mean "get"\?/],
    [['call', 'user.get', '{}'], /no service "user"; did you mean "users"\? \(there are: users\)/],
    [['call', 'users', '{}'], /"users": say service\.method, like users\.get/],
    [['call', 'users.get', '{id:7}'], /the input \{id:7\} is no JSON .* between single quotes/],
    [['call', 'users.get', '{}', '--stream'], /get gives one answer; leave --stream out/],
    [['call', 'users.get', '@none.json'], /the input: ENOENT/],
    [
      ['call', 'covey.health.check'],
      /every instance has covey\.health: say which one with --target/,
    ],
    [
      ['call', 'users.get', '{}', '-t', '127.0.0.1:1'],
      /^covey: 127\.0\.0\.1:1: nobody listens there \(ECONNREFUSED\)\n$/,
    ],
    [['describe', 'users.gett'], /did you mean "get"\?/],
    [
      ['call', 'users.get', '{}', '-t', '127.0.0.1:1', '--instance', 'users-1'],
      /--instance chooses among those in the registry; leave it out beside --target/,
    ],
    [['call', 'users.born', '{"at":"soon"}'], /the input: at: a Date is typed as ISO 8601 text/],
    [['call', 'users.get', '{"id":9007199254740993}'], /9007199254740993 cannot be read exactly/],
    [['bench', 'users.count', '{}'], /users\.count streams/],
  ]
  const outcomes = await Promise.all(wrong.map(([args]) => covey(args)))
  for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
    assert.match(stderr, wrong[index]![1])
    assert.deepEqual([code, stdout, stderr.trim().split('\n').length], [1, '', 1], stderr)
  }
})

test('a name of metadata that is none is an error of the command line', async () => {
  const { code, stderr } = await covey(['call', 'users.get', '{}', '-m', 'a b=1'])
  assert.equal(code, 1)
  assert.match(stderr, /'a b=1' is invalid\. A name is of letters, digits, "-", "_" and "\."/)
})

test('dates and big integers are typed as text', async () => {
  const input = '{"at":"2026-01-31T00:00:00Z","id":"9007199254740993"}'
  const { stdout, stderr } = await covey(['call', 'users.born', input])
  assert.deepEqual([stdout, stderr], ['"2026 18014398509481986"\n', ''])
})

test('input that is refused is answered with what the method takes', async () => {
  const { stderr } = await covey(['call', 'users.get', '{"id":7}'])
  assert.match(stderr, /^covey: INVALID_INPUT: users\.get input: id: /)
  assert.match(stderr, /\nusers\.get takes \{ id: string \}\n$/)
})

test('describe shows services, one service, one method, and JSON', async () => {
  const [all, one, json, health] = await Promise.all([
    covey(['describe']),
    covey(['describe', 'users.get']),
    covey(['describe', 'users', '--json']),
    covey(['describe', 'covey.health']),
  ])
  assert.match(
    all.stdout,
    /^users\n\n {2}get {2}\(5 s\)\n[\s\S]*\n {2}count {2}\(gives a stream\)\n/,
  )
  assert.equal(
    one.stdout,
    `users

  get  (5 s)
    takes       { id: string }
    gives       { id: string, born: Date, tenant: string }
    fails with  USER_GONE { id: string }
`,
  )
  assert.equal(JSON.parse(json.stdout)[0].methods[0].input.properties.id.type, 'string')
  assert.match(health.stdout, /^covey\.health\n\n {2}check {2}\(may be repeated, 1 s\)/)
})

test('bench shows a live line, figures and a histogram', async () => {
  const args = ['bench', 'users.get', '{"id":"7"}', '-s', '1.2', '-c', '4']
  const [text, json] = await Promise.all([covey(args), covey([...args, '--json'])])
  assert.equal(text.code, 0, text.stderr)
  assert.match(text.stderr, /^1(\.\d)? s {2}[\d,]+ calls\/s {2}p50 .*s {2}p99 .*s\n/)
  assert.match(
    text.stdout,
    /^[\d,]+ calls\/s \([\d,]+ in \d\.\d s, 4 at once\)\np50 .* p99\.9 .* max /,
  )
  assert.match(text.stdout, /≤ .*%.*█/)
  const figures = JSON.parse(json.stdout)
  assert.ok(figures.calls > 100 && figures.p99us >= figures.p50us)
  assert.deepEqual(figures.errors, {})
})
