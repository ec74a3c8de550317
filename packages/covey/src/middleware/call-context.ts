import { runInCall } from '../call/call-storage.ts'
import type { Middleware } from '../call/handler.ts'

/** Makes the call the current one for everything its handler does, now and later. */
export const callContext: Middleware = (next) => (call) => runInCall(call, () => next(call))
