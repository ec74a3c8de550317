// A process that serves over TLS with the certificate of a folder and calls itself over a new connection, or over one that
// stays, when it is told so: `node tls-peers.ts <folder> <port>`. It writes what came of it, and its log.
import { createInterface } from 'node:readline'
import {
  CoveyError,
  createApp,
  createClient,
  createRuntime,
  defineService,
} from '../../src/index.ts'
import { greeter } from './greeter-contract.ts'

const [folder, port] = process.argv.slice(2)
const file = (name: string) => `${folder}/${name}.pem`
const tls = { cert: file('cert'), key: file('key'), ca: file('ca') }

const app = createApp({
  name: 'greeter',
  services: [defineService(greeter, { hello: () => 'hello' })],
  overrides: { covey: { registry: 'memory:', port: Number(port), tls, drainWaitMs: 0 } },
})
await app.start()
const stays = createRuntime({ registry: 'memory:', tls })

for await (const line of createInterface({ input: process.stdin })) {
  const runtime = line === 'stay' ? stays : createRuntime({ registry: 'memory:', tls })
  const api = createClient(greeter, { target: app.address, runtime })
  const said = await api.hello(undefined, { timeoutMs: 10_000 }).catch(reasonOf)
  if (runtime !== stays) await runtime.close()
  process.stdout.write(`${line}: ${said}\n`)
}

function reasonOf(error: unknown): string {
  return error instanceof CoveyError ? `${error.code} ${error.message}` : String(error)
}
