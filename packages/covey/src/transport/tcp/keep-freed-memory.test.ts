import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'

/**
 * Takes 4 MiB in pieces of 64 KiB, writes to them, frees them at once, and again. In a process of its own, and in JavaScript:
 * whoever takes the types away from TypeScript has freed large blocks.
 */
const script = `
keepFreedMemory()
const churn = () => {
  const buffers = Array.from({ length: 64 }, () => new Uint8Array(64 * 1024).fill(1).buffer)
  for (const buffer of buffers) buffer.transfer(0)
}
for (let round = 0; round < 5; round++) churn()
const before = process.resourceUsage().minorPageFault
for (let round = 0; round < 20; round++) churn()
console.log(process.resourceUsage().minorPageFault - before)
`

test('memory that was freed is there to be taken again', {
  skip: process.platform !== 'linux' && 'about an allocator of Linux',
}, () => {
  const source = readFileSync(new URL('./keep-freed-memory.ts', import.meta.url), 'utf8')
  const code = `${stripTypeScriptTypes(source)}\n${script}`
  const faults = Number(execFileSync(process.execPath, ['--input-type=module', '-e', code]))
  const pages = 20 * 64 * 16
  assert.ok(faults < pages / 5, `${faults} faults for ${pages} pages`)
})
