import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { codeFromText } from './code-from-text.ts'

const script = new URL('./code-from-text.ts', import.meta.url).href

/** What a process of its own says of `1 + 2` made from text. */
function sumIn(before: string, ...flags: string[]): string {
  const program = `
    ${before}
    const { codeFromText } = await import(${JSON.stringify(script)})
    console.log(String(codeFromText(['a', 'b'], 'return a + b')?.(1, 2)))`
  const args = [...flags, '--input-type=module', '--eval', program]
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim()
}

test('makes a function of text', () => {
  assert.equal(
    codeFromText<(a: number, b: number) => number>(['a', 'b'], 'return a + b')?.(1, 2),
    3,
  )
  assert.throws(() => codeFromText([], 'return ('), SyntaxError)
})

test('makes none where that is forbidden', () => {
  assert.equal(sumIn('', '--disallow-code-generation-from-strings'), 'undefined')
})

test('does not even try in a browser, which would report it', () => {
  const browser = `
    globalThis.Function = () => { throw new Error('tried') }
    Object.defineProperty(process.versions, 'node', { value: undefined })`
  assert.equal(sumIn(browser), 'undefined')
})
