import { type ChildScript, startChildScript } from './child-script.ts'
import { freePort } from './free-port.ts'

/** A server in a process of its own, to be killed and stopped. */
export interface ChildServer extends ChildScript {
  readonly address: string
}

/** Starts a process that serves the `echo` contract; its instance is announced in `registry`. */
export async function startChildServer(registry = 'memory:'): Promise<ChildServer> {
  const child = await startChildScript('echo-server.ts', [registry, String(await freePort())])
  return { ...child, address: child.said }
}
