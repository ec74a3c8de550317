import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { Terminal } from './terminal.ts'

/** A reader that takes nothing until it is let. */
function stuckStream() {
  const taken: string[] = []
  let go: (() => void) | undefined
  let open = false
  const stream = new Writable({
    write(chunk, _, done) {
      if (chunk.length > 0) taken.push(String(chunk))
      if (open) done()
      else go = done
    },
  })
  const release = () => {
    open = true
    go?.()
  }
  return { stream, taken, release }
}

test('a stuck terminal holds nobody up; what it misses is counted and told', async () => {
  const { stream, taken, release } = stuckStream()
  const terminal = new Terminal(stream)
  const text = `${'x'.repeat(1_023)}\n`
  for (let line = 0; line < 3_000; line++) terminal.write(text)
  assert.equal(terminal.full, true)
  assert.ok(stream.writableLength < 1_100_000)
  const waiting = Math.round(stream.writableLength / 1_024)
  terminal.drop()
  release()
  await terminal.flush(AbortSignal.timeout(2_000))
  assert.equal(taken.filter((line) => line === text).length, waiting)
  assert.match(taken.at(-1) ?? '', new RegExp(`^… ${3_000 - waiting + 1} lines not shown`))
  terminal.write('again\n')
  await terminal.flush(AbortSignal.timeout(2_000))
  assert.equal(taken.at(-1), 'again\n')
})

test('flush gives up on a terminal that stays stuck, and on a broken one', async () => {
  const { stream } = stuckStream()
  const terminal = new Terminal(stream)
  terminal.write('x\n')
  const limit = new AbortController()
  const flushed = terminal.flush(limit.signal)
  limit.abort()
  await flushed
  stream.destroy(new Error('EPIPE'))
  terminal.write('y\n')
  await terminal.flush(new AbortController().signal)
})
