import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { maxLineBytes } from '../../observe/log-line.ts'
import { LineSplitter } from './line-splitter.ts'

function split(chunks: (string | Buffer)[], end = true): string[] {
  const lines: string[] = []
  const splitter = new LineSplitter((text) => lines.push(text))
  for (const chunk of chunks) splitter.push(Buffer.from(chunk as string))
  if (end) splitter.end()
  return lines
}

test('lines come out whole, whatever the chunks', () => {
  assert.deepEqual(split(['one\ntw', 'o\n\nfo', 'ur']), ['one', 'two', '', 'four'])
  assert.deepEqual(split(['a\r\nb\r', '\n']), ['a', 'b'])
  assert.deepEqual(split(['open'], false), [])
  assert.deepEqual(split([]), [])
})

test('any text cut at any bytes gives the same lines', () => {
  const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }))
  fc.assert(
    fc.property(texts, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (parts, sizes) => {
      const lines = parts.map((text) => text.replace(/[\r\n]/g, ''))
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
      const chunks: Buffer[] = []
      for (let at = 0; at < bytes.length; ) {
        const size: number = sizes.next().value ?? 1
        chunks.push(bytes.subarray(at, at + size))
        at += size
      }
      assert.deepEqual(split(chunks), lines)
    }),
  )
})

test('a very long line is cut, and says by how much', () => {
  const long = 'x'.repeat(maxLineBytes + 100)
  const [cut, next] = split([long.slice(0, 5_000), `${long.slice(5_000)}\nnext\n`])
  assert.equal(cut, `${'x'.repeat(maxLineBytes)}… (100 more bytes)`)
  assert.equal(next, 'next')
  assert.deepEqual(split([`${'x'.repeat(maxLineBytes)}\n`]), ['x'.repeat(maxLineBytes)])
})

test('a character that the cut goes through is left out', () => {
  const [cut] = split([`${'x'.repeat(maxLineBytes - 1)}€€\n`])
  assert.equal(cut, `${'x'.repeat(maxLineBytes - 1)}… (5 more bytes)`)
})

test('output without any line end takes no memory', () => {
  const lines: string[] = []
  const splitter = new LineSplitter((text) => lines.push(text))
  const chunk = Buffer.alloc(65_536, 'x')
  for (let round = 0; round < 2_000; round++) splitter.push(chunk)
  splitter.push(Buffer.from('\n'))
  assert.equal(lines.length, 1)
  assert.ok(lines[0]?.endsWith(`… (${2_000 * 65_536 - maxLineBytes} more bytes)`))
})
