import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import type { CoveyError } from '../../error/covey-error.ts'
import { createKeyRing, type KeyOptions } from './create-key-ring.ts'

const secret = 'sesame-0123456789-0123456789-0123456789'

function refusal(keys: readonly KeyOptions[]): string {
  try {
    createKeyRing(keys)
  } catch (error) {
    assert.equal((error as CoveyError).code, 'INVALID_SETTINGS')
    assert.doesNotMatch(inspect(error, { depth: 9 }), /sesame/)
    return (error as CoveyError).message
  }
  assert.fail('was taken')
}

test('the first key connects, all are accepted, and they can be replaced', () => {
  const ring = createKeyRing([
    { id: 'new', secret, subject: 'fleet' },
    { id: 'old', secret: `${secret}2` },
  ])
  assert.deepEqual([ring.first().id, ring.first().subject], ['new', 'fleet'])
  assert.equal(ring.find('old')?.subject, 'key:old')
  assert.equal(ring.find('other'), undefined)
  ring.replace([{ id: 'next', secret }])
  assert.deepEqual(ring.ids, ['next'])
  assert.equal(ring.find('new'), undefined)
  assert.throws(() => ring.replace([{ id: 'bad', secret: 'short' }]), { code: 'INVALID_SETTINGS' })
  assert.equal(ring.first().id, 'next')
})

test('wrong keys are refused by name, without a part of a secret', () => {
  assert.match(refusal([]), /at least one key/)
  assert.match(refusal([{ id: 'k', secret: 'sesame' }]), /key "k" has 6 characters.*at least 32/)
  assert.match(refusal([{ id: 'k', secret: secret.slice(0, 31) }]), /31 characters/)
  assert.match(refusal([{ id: 'k' }]), /either secret or secretFile/)
  assert.match(refusal([{ id: 'k', secret, secretFile: '/x' }]), /either/)
  assert.match(refusal([{ id: '', secret }]), /keys\[0\]\.id/)
  assert.match(refusal([{ id: 'a b', secret }]), /keys\[0\]\.id/)
  assert.match(
    refusal([
      { id: 'k', secret },
      { id: 'k', secret },
    ]),
    /"k" is there twice/,
  )
})

test('nothing that prints a ring or a key prints a secret', () => {
  const ring = createKeyRing([{ id: 'k', secret }])
  const shown = inspect([ring, ring.first()], { depth: 9, showHidden: true, getters: true })
  assert.doesNotMatch(shown + JSON.stringify([ring, ring.first()]), /sesame|115, 101, 115/)
})

test('a file is read only if nobody else may read it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'covey-keys-'))
  try {
    const file = (name: string, text: string, mode: number) => {
      const path = join(folder, name)
      writeFileSync(path, text)
      chmodSync(path, mode)
      return path
    }
    const ring = createKeyRing([{ id: 'f', secretFile: file('good', `${secret}\n`, 0o600) }])
    const salt = new Uint8Array(64)
    const direct = createKeyRing([{ id: 'f', secret }])
    assert.deepEqual(ring.first().extract(salt), direct.first().extract(salt))
    createKeyRing([{ id: 'f', secretFile: file('stricter', secret, 0o400) }])
    for (const mode of [0o640, 0o604, 0o660]) {
      const path = file(`open-${mode}`, secret, mode)
      const message = refusal([{ id: 'f', secretFile: path }])
      assert.match(message, /others may read .* \(mode 06\d\d\); run: chmod 600/)
    }
    assert.match(refusal([{ id: 'f', secretFile: join(folder, 'none') }]), /key "f": ENOENT/)
    const large = file('large', secret.repeat(200), 0o600)
    assert.match(refusal([{ id: 'f', secretFile: large }]), /more than 4096 bytes/)
    const short = file('short', 'sesame', 0o600)
    assert.match(refusal([{ id: 'f', secretFile: short }]), /6 characters/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
