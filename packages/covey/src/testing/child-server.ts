import { type ChildScript, startChildScript } from './child-script.ts'
import { freePort } from './free-port.ts'

/** A server in a process of its own, to be killed and stopped. */
export interface ChildServer extends ChildScript {
  readonly address: string
}

/**
 * Starts a process that serves the `echo` contract; its instance is announced in that registry.
 * @param protocol of the address to tell
 */
export async function startChildServer(
  registryUrl = 'memory:',
  protocol: 'tcp' | 'http' = 'tcp',
): Promise<ChildServer> {
  const http = protocol === 'http' ? ['silent', String(await freePort())] : []
  const args = [registryUrl, String(await freePort()), ...http]
  const child = await startChildScript('echo-server.ts', args)
  return { ...child, address: child.said }
}
