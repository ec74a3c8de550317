import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadSettings } from 'covey'
import { type GatewaySettings, gatewaySettings, tlsOf } from './settings.ts'

async function settings(env: Record<string, string>): Promise<GatewaySettings> {
  return (await loadSettings([gatewaySettings], { env, files: [] })).gateway
}

test('TLS is spoken by the gateway, by a proxy before it, or by nobody', async () => {
  const [cert, key] = ['/etc/chat/cert.pem', '/etc/chat/key.pem']
  const files = { GATEWAY__TLS__CERT: cert, GATEWAY__TLS__KEY: key }
  const https = { GATEWAY__PUBLIC_URL: 'https://chat.example' }
  assert.equal(tlsOf(await settings({})), undefined)
  assert.equal(tlsOf(await settings({ GATEWAY__PUBLIC_URL: 'http://chat.lan' })), undefined)
  assert.equal(tlsOf(await settings(https)), 'proxy')
  assert.deepEqual(tlsOf(await settings(files)), { cert, key })
  assert.deepEqual(tlsOf(await settings({ ...files, ...https })), { cert, key })
  for (const [name, missing] of [
    ['GATEWAY__TLS__CERT', 'key'],
    ['GATEWAY__TLS__KEY', 'cert'],
  ] as const) {
    const half = await settings({ [name]: cert, ...https })
    assert.throws(() => tlsOf(half), {
      code: 'INVALID_SETTINGS',
      message: `gateway.tls: ${missing} is missing; both are needed`,
    })
  }
})
