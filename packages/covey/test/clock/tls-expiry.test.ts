import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createClient, createRuntime } from '../../src/index.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { createTestAuthority } from '../../src/testing/test-authority.ts'
import { until } from '../../src/testing/until.ts'
import { fixedCredentials } from '../../src/transport/tls/tls-credentials.ts'
import { noFaketime, startFaked } from './faked-process.ts'
import { greeter } from './greeter-contract.ts'

/** The files are looked at every 5 seconds, and the machine may be slow. */
const limitMs = 40_000

const hours = (count: number) => new Date(Date.now() + count * 3_600_000)

test('a certificate that ends while the process runs is refused and told of, until its files are replaced', {
  skip: noFaketime,
  timeout: 115_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-clock-'))
  const authority = createTestAuthority()
  const put = async (notAfter: Date) => {
    const { cert, key } = authority.issue({ spiffe: 'spiffe://fleet.test/greeter', notAfter })
    await writeFile(join(folder, 'cert.pem'), cert)
    await writeFile(join(folder, 'key.pem'), key)
  }
  await writeFile(join(folder, 'ca.pem'), authority.ca)
  await put(hours(1))
  const port = String(await freePort())
  await using child = await startFaked('tls-peers.ts', [folder, port], join(folder, 'clock'))
  /** Waits for a line that was not there before. */
  const heard = async (pattern: RegExp, seen = 0) => {
    const found = () => child.lines.slice(seen).find((line) => pattern.test(line))
    await until(() => found() !== undefined, String(pattern), limitMs)
    return found()!
  }
  const ask = async (how: 'new' | 'stay') => {
    const seen = child.lines.length
    child.tell(how)
    return heard(new RegExp(`^${how}: `), seen)
  }
  /** From here, where the time is the true one, with a certificate that ends at some time. */
  const call = async (notAfter: Date) => {
    const own = authority.issue({ spiffe: 'spiffe://fleet.test/caller', notAfter })
    const tls = fixedCredentials({ ...own, ca: authority.ca })
    await using runtime = createRuntime({ registry: 'memory:', tls })
    const target = `tls://127.0.0.1:${port}`
    return await createClient(greeter, { target, runtime }).hello(undefined, { timeoutMs: 10_000 })
  }
  try {
    await heard(/greeter is ready/)
    assert.equal(await ask('stay'), 'stay: hello')
    assert.equal(await ask('new'), 'new: hello')
    assert.equal(await call(hours(1)), 'hello')
    await child.jump('+2h')
    await heard(/"the TLS certificate has ended: new connections are refused/)
    assert.match(await ask('new'), /^new: .*certificate of the server is refused: .*expired/)
    await assert.rejects(call(hours(1)), /certificate of the client is refused: .*EXPIRED/)
    assert.equal(await call(hours(20)), 'hello')
    assert.equal(await ask('stay'), 'stay: hello', 'a connection that is open goes on')
    const seen = child.lines.length
    await put(hours(20))
    await heard(/"new TLS certificate"/, seen)
    assert.equal(await ask('new'), 'new: hello')
    assert.equal(await ask('stay'), 'stay: hello')
    assert.equal(child.process.exitCode, null, 'all of it in one process')
  } finally {
    await rm(folder, { recursive: true })
  }
})
