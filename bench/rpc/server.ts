/**
 * The server process: `server.ts <subject>` starts that subject's server and reports its port to
 * the parent. On the message `gc` it collects garbage and answers, where Node was started with
 * `--expose-gc`.
 */
import { endWithParent, report } from '../child.ts'
import { freePort } from './free-port.ts'
import { subjectName, subjects } from './subjects.ts'

export interface ServerReport {
  port: number
}

endWithParent()
const subject = await subjects[subjectName(process.argv[2])].load()
const port = await freePort()
await subject.startServer(port)
await report({ port } satisfies ServerReport)
process.on('message', async () => {
  // What the first collection freed may hold more: a second one takes it.
  globalThis.gc?.()
  globalThis.gc?.()
  await report({ collected: globalThis.gc !== undefined })
})
