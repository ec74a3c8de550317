/** `overload-server.ts <admission: true or false>`: serves calls that use the processor, and says its port. */
import { createApp, createRuntime, defineService } from 'covey'
import { endWithParent, report } from '../child.ts'
import { freePort } from './free-port.ts'
import { costMs, mill } from './overload-contract.ts'
import type { ServerReport } from './server.ts'

endWithParent()
const service = defineService(mill, {
  grind({ id }) {
    const endMs = performance.now() + costMs
    while (performance.now() < endMs);
    return { id }
  },
})
const port = await freePort()
const admission = { enabled: process.argv[2] === 'true' }
await createApp({
  name: 'mill',
  services: [service],
  runtime: createRuntime({ registry: 'memory:' }),
  overrides: { covey: { port, logLevel: 'silent', admission } },
}).start()
await report({ port } satisfies ServerReport)
