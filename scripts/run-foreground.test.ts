import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot } from './findings.ts'
import { createFixtureTree } from './fixture-tree.ts'
import { runForeground } from './run-foreground.mjs'

const run = (code: string) => runForeground(process.execPath, ['-e', code])

test('resolves with the exit code, or 128 and the number of the signal', async () => {
  assert.equal(await run('process.exit(3)'), 3)
  assert.equal(await run('process.kill(process.pid, "SIGKILL")'), 137)
})

test('rejects when the command cannot be started', async () => {
  await assert.rejects(runForeground('no-such-command', []), /ENOENT/)
})

test('a signal that arrives twice at once reaches the command once, a later one again', async () => {
  using tree = createFixtureTree({
    'inner.mjs': `let count = 0
process.on('SIGINT', () => { console.log('SIGINT'); if (++count === 2) process.exit(0) })
setInterval(() => {}, 1000)
console.log('ready')`,
    'outer.mjs': `import { runForeground } from '${join(repositoryRoot, 'scripts/run-foreground.mjs')}'
process.exitCode = await runForeground(process.execPath, [process.argv[2]], { detached: true })`,
  })
  const child = spawn(process.execPath, [
    join(tree.root, 'outer.mjs'),
    join(tree.root, 'inner.mjs'),
  ])
  const ended = once(child, 'exit')
  await output(child, 'ready')
  const first = output(child, 'SIGINT')
  child.kill('SIGINT')
  child.kill('SIGINT')
  await first
  await new Promise((resolve) => setTimeout(resolve, 600))
  assert.equal(child.exitCode, null, 'the repetition was not forwarded')
  child.kill('SIGINT')
  assert.deepEqual(await ended, [0, null])
})

async function output(child: ChildProcessWithoutNullStreams, text: string): Promise<void> {
  for await (const [chunk] of on(child)) if (chunk.includes(text)) return
}

async function* on(child: ChildProcessWithoutNullStreams): AsyncGenerator<[string]> {
  while (true) yield [String((await once(child.stdout, 'data'))[0])]
}
