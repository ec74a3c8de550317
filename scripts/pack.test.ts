import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot } from './findings.ts'
import { packCovey } from './pack.ts'
import { type CommandResult, runCommand } from './run-command.ts'

async function must(result: Promise<CommandResult>): Promise<string> {
  const { code, output } = await result
  assert.equal(code, 0, output)
  return output
}

test('what is published is installed elsewhere, type checks, and runs', {
  timeout: 110_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-pack-'))
  try {
    const tarball = await packCovey(folder)
    await writeFile(join(folder, 'package.json'), '{"name":"user","private":true,"type":"module"}')
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
    await must(runCommand('npm', [...install, tarball, 'zod@4.6.7', '@types/node@26.6.6'], folder))
    const readme = await readFile(join(repositoryRoot, 'README.md'), 'utf8')
    await writeFile(join(folder, 'hello.ts'), /```ts run\n([\s\S]*?)```/.exec(readme)![1]!)
    await writeFile(join(folder, 'parts.ts'), parts)
    const testing = await readFile(join(repositoryRoot, 'docs/testing.md'), 'utf8')
    const transport = /## A transport of your own[\s\S]*?```ts run\n([\s\S]*?)```/.exec(
      testing,
    )![1]!
    await writeFile(join(folder, 'transport.ts'), transport)
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext']
    const checked = [
      '--allowImportingTsExtensions',
      '--types',
      'node',
      'hello.ts',
      'parts.ts',
      'transport.ts',
    ]
    const compiler = join(repositoryRoot, 'node_modules/.bin/tsc')
    await must(runCommand(compiler, [...options, ...checked], folder))
    const hello = await must(runCommand(process.execPath, ['hello.ts'], folder))
    assert.match(hello, /\{ id: '7', name: 'Ada' \}/)
    assert.equal(
      await must(runCommand(process.execPath, ['parts.ts'], folder)),
      'function function function\n',
    )
    await writeFile(join(folder, 'probe.ts'), probe)
    assert.match(await must(runCommand(process.execPath, ['probe.ts'], folder)), /ready true$/m)
    // What is published to test with needs no schema library.
    await rm(join(folder, 'node_modules/zod'), { recursive: true })
    // By itself, and not as a part of this run of tests.
    const alone = ['-u', 'NODE_TEST_CONTEXT', process.execPath, 'transport.ts']
    const suite = await must(runCommand('env', alone, folder))
    assert.match(suite.slice(-1_000), /^(?:#|ℹ) pass 7\d$/m)
    const cli = join(folder, 'node_modules/.bin/covey')
    assert.match(await must(runCommand(process.execPath, [cli, '--help'], folder)), /start/)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

const parts = `
import { createWebClient } from 'covey/client'
import { createGateway } from 'covey/gateway'
import { defineFleet } from 'covey/supervisor'
console.log(typeof createWebClient, typeof createGateway, typeof defineFleet)
`

/** The probe's thread is a file of its own, which has to be found. */
const probe = `
import { createApp } from 'covey'
import { createServer } from 'node:http'
const free = createServer().listen(0, '127.0.0.1')
const { port } = await new Promise((resolve) => free.on('listening', () => resolve(free.address())))
await new Promise((resolve) => free.close(resolve))
const app = createApp({ name: 'a', overrides: { covey: { registry: 'memory:', drainWaitMs: 0, probe: { port } } } })
await app.start()
const { ready } = await (await fetch('http://127.0.0.1:' + port + '/ready')).json()
console.log('ready', ready)
await app.stop()
`
