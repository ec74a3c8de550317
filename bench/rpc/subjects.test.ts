import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { buildGoProgram } from './go-build.ts'
import type { Figures } from './load.ts'
import { type Pair, startPair } from './pair.ts'
import { payloadNames } from './payloads.ts'
import type { BulkFigures, StreamFigures } from './stream-loop.ts'
import { can, type SubjectEntry, type SubjectName, subjectNames, subjects } from './subjects.ts'

const installed = existsSync(new URL('../node_modules', import.meta.url))
/** Long enough for calls, far too short for figures. */
const seconds = 0.05

for (const name of subjectNames) {
  test(`${name} answers every payload and streams what it says it can`, async (t) => {
    const missing = whyMissing(name)
    if (missing !== undefined) return t.skip(missing)
    await using pair = await startPair(name, { connections: 2 })
    if (can(name, 'unary')) await checkUnary(pair)
    if (can(name, 'serverStream')) {
      const streams = await pair.run<StreamFigures>({ do: 'streams', streams: 2, seconds })
      assert.ok(streams.messagesPerSecond > 0)
    }
    if (!can(name, 'bulk')) return
    const total = 300_000
    assert.equal((await pair.run<BulkFigures>({ do: 'bytes', total })).bytes, total)
  })
}

test('Covey and the bare echo hold further connections beside the first', async () => {
  for (const name of ['covey', 'bareJson'] as const) {
    await using pair = await startPair(name)
    assert.deepEqual(await pair.run({ do: 'hold', connections: 30 }), { held: 30 })
    const open = { do: 'openLoop', perSecond: 200, seconds: 0.2 } as const
    const figures = await pair.run<Figures>(open)
    assert.ok(figures.callsPerSecond > 50 && figures.callsPerSecond <= 250, JSON.stringify(figures))
  }
})

test('every module of subjects/ has a line in the table, and can do something', () => {
  const table = readFileSync(new URL('subjects.ts', import.meta.url), 'utf8')
  const modules = readdirSync(new URL('subjects/', import.meta.url)).filter((file) => {
    return file.endsWith('.ts') && !file.endsWith('.test.ts')
  })
  assert.equal(modules.length, subjectNames.length)
  for (const file of modules) assert.ok(table.includes(`'./subjects/${file}'`), file)
  for (const name of subjectNames) assert.notEqual(subjects[name].scenarios.length, 0, name)
})

async function checkUnary(pair: Pair): Promise<void> {
  for (const payload of payloadNames) {
    const figures = await pair.run<Figures>({ do: 'unary', payload, concurrency: 4, seconds })
    assert.ok(figures.callsPerSecond > 0, payload)
    assert.ok(figures.p50us > 0 && figures.p99us >= figures.p50us, JSON.stringify(figures))
  }
}

function whyMissing(name: SubjectName): string | undefined {
  if (name === 'goNetRpc') return buildGoProgram()
  const { fromNpm }: SubjectEntry = subjects[name]
  return fromNpm && !installed ? 'its packages are not installed (npm ci in bench/)' : undefined
}
