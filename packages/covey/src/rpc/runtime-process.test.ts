import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { createApp } from '../app/create-app.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import { freePort } from '../testing/free-port.ts'
import { createRuntime } from './runtime.ts'

const run = promisify(execFile)
const greeter = defineContract('greeter', { hello: unary({ output: z.string() }) })

/** What a script prints that makes a call and then does the rest. */
async function script(target: string, rest: string): Promise<string> {
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const code = `
    import { createClient } from ${at('./create-client.ts')}
    import { createRuntime } from ${at('./runtime.ts')}
    import { defineContract } from ${at('../contract/define-contract.ts')}
    import { unary } from ${at('../contract/method.ts')}
    import { z } from 'zod'
    const greeter = defineContract('greeter', { hello: unary({ output: z.string() }) })
    const runtime = createRuntime({ registry: 'memory:' })
    const api = createClient(greeter, { target: ${JSON.stringify(target)}, runtime })
    console.log(await api.hello())
    ${rest}`
  const args = ['--input-type=module-typescript', '--eval', code]
  const { stdout } = await run(process.execPath, args, { timeout: 20_000 })
  return stdout
}

test('a script may wait for the end of its connections, or just end', {
  timeout: 60_000,
}, async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  const http = { host: '127.0.0.1', port: await freePort() }
  await using app = createApp({
    name: 'greeter',
    services: [defineService(greeter, { hello: () => 'hello' })],
    overrides: { covey: { http, logLevel: 'silent' } },
    runtime,
    ownsProcess: false,
  })
  await app.start()
  for (const target of app.instance.addresses) {
    // Exit code 13 would say that the end was waited for and never came.
    const waits = script(target, `await runtime.close(); console.log('closed')`)
    assert.equal(await waits, 'hello\nclosed\n', target)
    assert.equal(await script(target, ''), 'hello\n', target)
  }
})
