import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { defineContract } from '../../contract/define-contract.ts'
import { defineService } from '../../contract/define-service.ts'
import { clientStream } from '../../contract/method.ts'
import { createClient } from '../../rpc/create-client.ts'
import { createRuntime } from '../../rpc/runtime.ts'
import { startChildServer } from '../../testing/child-server.ts'
import { echo } from '../../testing/fixtures/echo-contract.ts'
import { LocalService } from '../../testing/local-service.ts'

const mebibyte = 1024 * 1024
const pieceBytes = 64 * 1024
const pieces = 4_096
const allBytes = pieces * pieceBytes

async function* bytes(count = pieces) {
  for (let piece = 0; piece < count; piece++) yield new Uint8Array(pieceBytes).fill(piece)
}

test('256 MiB go through a stream either way in constant memory', { timeout: 60_000 }, async () => {
  await using server = await startChildServer()
  await using runtime = createRuntime({ registry: 'memory:' })
  const api = createClient(echo, { runtime, target: server.address })
  // An engine takes room for what it will collect later, once; what comes after must not take more.
  await api.swallow(bytes(pieces / 4))
  const up = await api.swallow(bytes())
  assert.equal(up.bytes, allBytes)
  assert.ok(up.grownBytes < 64 * mebibyte, `taking: ${up.grownBytes / mebibyte} MiB more`)
  let taken = 0
  const startBytes = process.memoryUsage.rss()
  let grownBytes = 0
  for await (const piece of api.pour({ pieces, bytes: pieceBytes })) {
    // Each piece is the one that was sent, not what lies there later.
    assert.equal(piece[7], (taken / pieceBytes) % 256)
    taken += piece.length
    grownBytes = Math.max(grownBytes, process.memoryUsage.rss() - startBytes)
  }
  assert.equal(taken, allBytes)
  const down = await api.flow()
  assert.equal(down.bytes, allBytes)
  assert.ok(down.grownBytes < 64 * mebibyte, `giving: ${down.grownBytes / mebibyte} MiB more`)
  assert.ok(grownBytes < 64 * mebibyte, `reading: ${grownBytes / mebibyte} MiB more`)
})

test('a file is uploaded as a stream of its pieces', async () => {
  const files = defineContract('files', {
    upload: clientStream({ input: z.instanceof(Uint8Array), output: z.string() }),
  })
  const service = defineService(files, {
    async upload(chunks) {
      const hash = createHash('sha256')
      for await (const chunk of chunks) hash.update(chunk)
      return hash.digest('hex')
    },
  })
  const folder = await mkdtemp(join(tmpdir(), 'covey-'))
  try {
    const path = join(folder, 'file')
    const content = new Uint8Array(3 * mebibyte + 17).map((_, index) => index * 7)
    await writeFile(path, content)
    const expected = createHash('sha256').update(content).digest('hex')
    const local = new LocalService(service)
    assert.equal(await local.client().upload(createReadStream(path)), expected)
  } finally {
    await rm(folder, { recursive: true })
  }
})
