import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from 'covey/client'
import { fieldProblems } from './error-text.ts'
import { createSession } from './session.ts'

const user = { id: 'u_ada00000', username: 'ada', nickname: 'Ada' }

/** A `fetch` that notes what was asked and gives one answer. */
function answering(status: number, body: unknown) {
  const asked: { readonly path: string; readonly init: RequestInit }[] = []
  const request = async (path: unknown, init: RequestInit = {}) => {
    asked.push({ path: String(path), init })
    return new Response(status === 204 ? null : JSON.stringify(body), { status })
  }
  return { asked, session: createSession(request as typeof fetch) }
}

test('registering posts the form with cookies and gives the user', async () => {
  const { asked, session } = answering(201, { user })
  const form = { username: 'ada', password: 'correct horse', nickname: 'Ada' }
  assert.deepEqual(await session.register(form), user)
  assert.equal(asked[0]?.path, '/api/accounts')
  assert.equal(asked[0]?.init.method, 'POST')
  assert.equal(asked[0]?.init.credentials, 'same-origin')
  assert.deepEqual(JSON.parse(String(asked[0]?.init.body)), form)
})

test('nobody is logged in when the server does not know the cookie', async () => {
  const problem = {
    type: 'about:blank',
    title: 'x',
    status: 401,
    code: 'UNAUTHENTICATED',
    detail: 'x',
  }
  assert.equal(await answering(200, { user: null }).session.whoAmI(), undefined)
  await assert.rejects(answering(401, problem).session.whoAmI(), { code: 'UNAUTHENTICATED' })
  assert.deepEqual(await answering(200, { user }).session.whoAmI(), user)
})

test('a problem of the server becomes an error with its code and fields', async () => {
  const issues = [
    { path: 'username', message: '3 to 32 letters' },
    { path: 'username', message: 'second' },
    { path: 'password', message: 'at least 8 characters' },
  ]
  const problem = { status: 422, code: 'INVALID_INPUT', detail: 'no', details: { issues } }
  const { session } = answering(422, problem)
  const error = await session
    .logIn({ username: 'a', password: 'b' })
    .catch((thrown) => CoveyError.from(thrown))
  assert.ok(error instanceof CoveyError)
  assert.equal(error.code, 'INVALID_INPUT')
  assert.deepEqual(
    [...fieldProblems(error.details)],
    [
      ['username', '3 to 32 letters'],
      ['password', 'at least 8 characters'],
    ],
  )
})

test('an answer of something in between counts as an absent server', async () => {
  await assert.rejects(answering(502, '<html>').session.ticket(), { code: 'UNAVAILABLE' })
})

test('no answer at all counts as an absent server', async () => {
  const session = createSession(() => Promise.reject(new TypeError('fetch failed')))
  await assert.rejects(session.whoAmI(), { code: 'UNAVAILABLE' })
})

test('a ticket is asked for anew each time, and logging out needs no answer', async () => {
  const { asked, session } = answering(200, { ticket: 't-1' })
  assert.equal(await session.ticket(), 't-1')
  assert.equal(await session.ticket(), 't-1')
  assert.equal(asked.length, 2)
  await answering(204, undefined).session.logOut()
})
