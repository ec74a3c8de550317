import { servedToTheEnd } from '../served-to-the-end.ts'
import { rpcPath } from './wire.ts'

/** `/rpc/results/<token>`; the token may be encoded. */
export const resultForm = /^\/rpc\/results\/([\w.~%-]{1,300})$/

/** `/rpc/<service>/<method>`. Names stand in the path as they are: nothing in them has to be encoded, and nothing is decoded. */
export const methodForm = /^\/rpc\/([A-Za-z][\w.-]*)\/([A-Za-z][\w-]*)$/

/**
 * Whether a request is answered although the instance is stopping: results of work it has accepted, how it is, and the link by which
 * clients of this framework ask for these.
 */
export function answeredToTheEnd(path: string): boolean {
  if (path === rpcPath || resultForm.test(path)) return true
  const [, service, name] = methodForm.exec(path) ?? []
  return servedToTheEnd({ path: `${service}.${name}` })
}
