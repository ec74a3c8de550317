import type { Call } from '../call/call.ts'
import type { Log } from '../observe/log.ts'

/** Told when a call of a service has ended, with the code of its error if it failed. */
export type OnCallEnd = (call: Call, ms: number, code?: string) => void

/** Writes a line for each call, of importance `debug`: which method, for whom, how long, how it ended; never what was said. */
export function callLog(log: Log): OnCallEnd {
  return ({ method, mode, peer, trace, attempt }, ms, code) => {
    const { protocol, address, identity } = peer
    const took = Math.round(ms * 10) / 10
    const fields = {
      method: method.path,
      ms: took,
      ...(code === undefined ? {} : { code }),
      ...(mode === 'wait' ? {} : { mode }),
      ...(attempt === 1 ? {} : { attempt }),
      peer: `${protocol} ${address}`,
      ...(identity === undefined ? {} : { subject: identity.subject }),
      traceId: trace.traceId,
    }
    const how = code === undefined ? 'answered' : `failed with ${code}`
    log.debug(fields, `${method.path} ${how} in ${took} ms`)
  }
}
