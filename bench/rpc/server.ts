/**
 * The server process: `server.ts <subject>` starts that subject's server and reports its port to
 * the parent.
 */
import { endWithParent, report } from '../child.ts'
import { freePort } from './free-port.ts'
import { subjectName, subjects } from './subjects.ts'

export interface ServerReport {
  port: number
}

endWithParent()
const subject = await subjects[subjectName(process.argv[2])]()
const port = await freePort()
await subject.startServer(port)
await report({ port } satisfies ServerReport)
