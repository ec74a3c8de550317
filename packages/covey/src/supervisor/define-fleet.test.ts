import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from '../error/covey-error.ts'
import { defineFleet } from './define-fleet.ts'
import type { FleetOptions } from './fleet.ts'

/** The problems that a config has, as `path: message`. */
function problemsOf(options: unknown): string[] {
  try {
    defineFleet(options as FleetOptions)
    return []
  } catch (error) {
    assert.ok(error instanceof CoveyError)
    assert.equal(error.code, 'INVALID_SETTINGS')
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
  }
}

function fleetWith(process: object): object {
  return { name: 'chat', processes: { user: { entry: 'user.ts', ...process } } }
}

test('defaults are filled in and everything is frozen', () => {
  const fleet = defineFleet({
    name: 'chat',
    processes: { user: { entry: 'user/main.ts', url: 'http://127.0.0.1:4100' } },
    banner: [{ label: 'Chat', url: 'http://127.0.0.1:8090' }],
  })
  assert.deepEqual(fleet, {
    name: 'chat',
    processes: {
      user: {
        name: 'user',
        entry: 'user/main.ts',
        args: [],
        replicas: 1,
        env: {},
        restart: 'always',
        health: 'covey',
        after: [],
        startTimeoutMs: 30_000,
        stopTimeoutMs: 35_000,
      },
    },
    banner: [
      { label: 'Chat', url: 'http://127.0.0.1:8090' },
      { label: 'user', url: 'http://127.0.0.1:4100' },
    ],
    admin: { port: 9501 },
  })
  for (const part of [fleet, fleet.processes.user, fleet.processes.user?.env, fleet.banner[0]]) {
    assert.ok(Object.isFrozen(part))
  }
})

test('a checked fleet is a valid config again and stays the same', () => {
  const fleet = defineFleet({
    name: 'chat',
    processes: {
      user: { entry: 'a.ts', url: 'http://127.0.0.1:1' },
      gate: { entry: 'b.ts', after: ['user'] },
    },
  })
  assert.deepEqual(defineFleet(fleet), fleet)
})

test('all problems are listed at once, each with its place', () => {
  const problems = problemsOf({
    name: 'Chat App',
    procceses: {},
    processes: {
      user: { entry: 'user.ts', replica: 2, replicas: 0, restart: 'sometimes', env: { A: 1 } },
      message: { after: ['usr'], stopTimeoutMs: '5s' },
    },
    banner: [{ label: '', url: 'nowhere' }],
    admin: { port: 70_000, host: '0.0.0.0' },
  })
  assert.deepEqual(problems, [
    'procceses: unknown key "procceses", did you mean "processes"?',
    'name: expected lower case words with dashes, like "user" or "push-worker", 32 characters at most, got "Chat App"',
    'processes.user.replica: unknown key "replica", did you mean "replicas"?',
    'processes.user.env: expected an object whose values are texts, got {"A":1}',
    'processes.user.replicas: expected a whole number from 1 to 64, got 0',
    'processes.user.restart: expected "always" or "never", got "sometimes"',
    'processes.message.entry: missing, expected a text that is not empty',
    'processes.message.stopTimeoutMs: expected a whole number from 1 to 86400000, got "5s"',
    'processes.message.after: unknown process "usr", did you mean "user"?',
    'banner.0.label: expected a text that is not empty, got ""',
    'banner.0.url: expected a URL like "http://127.0.0.1:8090", got "nowhere"',
    'admin.host: unknown key "host", known are port',
    'admin.port: expected a whole number from 1 to 65535, got 70000',
  ])
})

test('a config that is no object, or has no process, says so', () => {
  assert.match(problemsOf(undefined)[0] ?? '', /^defineFleet: expected an object, got undefined$/)
  assert.deepEqual(problemsOf({ name: 'a', processes: {} }), [
    'processes: at least one process is needed',
  ])
  assert.deepEqual(
    problemsOf({ name: 'a', processes: { user: null } })[0],
    ['processes.user: expected an object, got null'][0],
  )
})

test('names that would be unsafe or ambiguous as files are refused', () => {
  for (const name of ['../x', 'user-0', 'A', 'a b', '-a', 'a'.repeat(33), '__proto__']) {
    const processes = JSON.parse(JSON.stringify({ [name]: { entry: 'a.ts' } }))
    assert.match(problemsOf({ name: 'a', processes }).join(), /the name must be/, name)
  }
  assert.match(problemsOf({ name: 'a', processes: { covey: { entry: 'a' } } }).join(), /supervisor/)
})

test('processes that wait for each other are refused, and named', () => {
  const processes = {
    a: { entry: 'a.ts', after: ['b'] },
    b: { entry: 'b.ts', after: ['a'] },
    c: { entry: 'c.ts' },
  }
  assert.deepEqual(problemsOf({ name: 'x', processes }), [
    'processes: a, b wait for each other; take one of them out of "after"',
  ])
})

test('the variables of the supervisor cannot be set, nor a name that differs', () => {
  assert.match(problemsOf(fleetWith({ env: { COVEY_DIR: '/' } })).join(), /env.COVEY_DIR/)
  assert.deepEqual(problemsOf(fleetWith({ env: { COVEY__PORT: '4100' } })), [])
  assert.match(problemsOf(fleetWith({ name: 'other' })).join(), /expected "user"/)
})
