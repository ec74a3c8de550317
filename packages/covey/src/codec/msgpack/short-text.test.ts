import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { shortText, shortTextBytes } from './short-text.ts'

/** Texts of all sizes, and what becomes of them with one byte that is not ASCII, first and last. */
function allSizes(): (string | null)[] {
  const texts: (string | null)[] = []
  for (let size = 0; size <= shortTextBytes; size++) {
    const bytes = Uint8Array.from({ length: size + 4 }, (_, index) => (index * 37) & 0x7f)
    texts.push(shortText(bytes, 2, size) ?? null)
    for (const at of [2, size + 1]) {
      const odd = bytes.slice()
      odd[at] = 0x80
      texts.push(shortText(odd, 2, size) ?? null)
    }
  }
  return texts
}

const expected = Array.from({ length: shortTextBytes + 1 }, (_, size) => {
  const codes = Array.from({ length: size }, (_, index) => ((index + 2) * 37) & 0x7f)
  const text = String.fromCharCode(...codes)
  return size === 0 ? ['', '', ''] : [text, null, null]
}).flat()

test('text of every size is what its bytes say, and nothing if they are not ASCII', () => {
  assert.deepEqual(allSizes(), expected)
  assert.deepEqual(allSizes(), expected)
})

test('it is the same where code may not be made from text', () => {
  const script = `
    const { shortText, shortTextBytes } = await import(${JSON.stringify(import.meta.resolve('./short-text.ts'))})
    ${allSizes}
    console.log(JSON.stringify([allSizes(), allSizes()]))`
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module']
  const said = execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' })
  assert.deepEqual(JSON.parse(said), [expected, expected])
})
