import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { PasswordHasher } from './password-hasher.ts'

const cheap = { logN: 4, r: 8, p: 1 }

test('a hash names its parameters and a salt of its own', async () => {
  const hasher = new PasswordHasher({ random: randomBytes })
  const [one, two] = await Promise.all([hasher.hash('same words'), hasher.hash('same words')])
  assert.match(one!, /^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}$/)
  assert.notEqual(one, two)
  assert.equal(await hasher.verify('same words', one), true)
  assert.equal(await hasher.verify('same word', one), false)
})

test('the answer for nobody is no, whatever the password', async () => {
  const hasher = new PasswordHasher({ random: randomBytes, cost: cheap })
  assert.equal(await hasher.verify('anything', undefined), false)
})

test('nobody and somebody cost the same work', async () => {
  const hasher = new PasswordHasher({ random: randomBytes, cost: { logN: 12, r: 8, p: 1 } })
  const stored = await hasher.hash('a password')
  const time = async (hash: string | undefined) => {
    const startMs = performance.now()
    for (let i = 0; i < 5; i++) await hasher.verify('wrong', hash)
    return performance.now() - startMs
  }
  await time(stored)
  // The best of several, since other processes share the machine. Without the work it would be 100 times less.
  const best = async (hash: string | undefined) =>
    Math.min(await time(hash), await time(hash), await time(hash))
  const [known, unknown] = [await best(stored), await best(undefined)]
  assert.ok(unknown > known / 3 && unknown < known * 3, `${known} ms, ${unknown} ms`)
})

test('a hash of another cost is still checked, and known as outdated', async () => {
  const before = new PasswordHasher({ random: randomBytes, cost: cheap })
  const now = new PasswordHasher({ random: randomBytes, cost: { ...cheap, logN: 5 } })
  const stored = await before.hash('a password')
  assert.equal(await now.verify('a password', stored), true)
  assert.equal(now.outdated(stored), true)
  assert.equal(now.outdated(await now.hash('a password')), false)
})

test('what is too much at once is refused, and the rest goes on', async () => {
  const options = { random: randomBytes, cost: cheap, maxRunning: 2, maxWaiting: 3 }
  const hasher = new PasswordHasher(options)
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => hasher.hash('words')))
  const refused = results.filter((result) => result.status === 'rejected')
  assert.equal(refused.length, 3)
  for (const { reason } of refused) assert.equal(reason.code, 'RESOURCE_EXHAUSTED')
  assert.match(await hasher.hash('again'), /^\$scrypt/)
})
