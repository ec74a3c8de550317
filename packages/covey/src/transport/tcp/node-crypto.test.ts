import assert from 'node:assert/strict'
import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { agree } from '../session/key-auth.ts'
import { createKeyRing } from './create-key-ring.ts'
import { nodeCrypto } from './node-crypto.ts'

test('codes of all sizes and pieces are those of HMAC-SHA256', () => {
  for (const keyBytes of [0, 1, 32, 63, 64, 65, 200]) {
    const key = randomBytes(keyBytes)
    const mac = nodeCrypto.hmac(key)
    for (const size of [0, 1, 63, 64, 65, 1000, 65_470, 65_473, 200_000]) {
      const bytes = randomBytes(size)
      const cut = size >> 1
      const code = mac(bytes.subarray(0, cut), bytes.subarray(cut))
      const expected = createHmac('sha256', key).update(bytes).digest()
      assert.equal(Buffer.compare(code, expected), 0, `key of ${keyBytes}, ${size} bytes`)
    }
  }
})

test('the keys of a connection are those of HKDF-SHA256', () => {
  const secret = 'a secret of at least thirty-two characters'
  const ring = createKeyRing([{ id: 'a', secret }])
  const [client, server] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const salt = Buffer.concat([client, server])
  const agreement = agree(ring.crypto, ring.first(), client, server)
  const keyFor = (use: string) =>
    Buffer.from(hkdfSync('sha256', secret, salt, `covey 2 ${use}`, 32))
  const code = (use: string, ...pieces: Uint8Array[]) =>
    createHmac('sha256', keyFor(use)).update(Buffer.concat(pieces)).digest('hex')
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  const [hello, challenge] = [Buffer.from('hello'), Buffer.from('challenge')]
  assert.equal(
    hex(agreement.serverProof(hello, 'hmac')),
    code('server proof', hello, server, Buffer.from('hmac')),
  )
  assert.equal(hex(agreement.clientProof(hello, challenge)), code('client proof', hello, challenge))
  assert.equal(hex(agreement.clientFrames()(hello)), code('client frames', hello))
  assert.equal(hex(agreement.serverFrames()(hello)), code('server frames', hello))
})
