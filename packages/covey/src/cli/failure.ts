import { CoveyError } from '../error/covey-error.ts'

/**
 * What a failed command says: one line with what is wrong and what to do (more when several things are wrong), and the
 * stack with `COVEY_DEBUG=1`.
 */
export function failure(error: unknown, env: NodeJS.ProcessEnv): string {
  const debug = env.COVEY_DEBUG === '1'
  if (!(error instanceof Error)) return `covey: ${String(error)}\n`
  const expected = error instanceof CoveyError
  const what = expected ? error.message : `${error.name}: ${error.message}`
  const hint = expected || debug ? '' : ' (COVEY_DEBUG=1 shows where)'
  return `covey: ${what}${hint}\n${debug ? stacks(error) : ''}`
}

function stacks(error: Error): string {
  const own = `${error.stack ?? error.message}\n`
  return error.cause instanceof Error ? `${own}caused by ${stacks(error.cause)}` : own
}
