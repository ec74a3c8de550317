import { CoveyError } from '../error/covey-error.ts'
import { reasonOf } from '../error/reason-of.ts'

/** A cause of a cause of a cause … says nothing new at some point. */
const maxCauses = 5

/**
 * What a process says whose application cannot start: the reason in its first line, said once; then, for errors that nobody foresaw,
 * where they came from. With `debug` every stack is shown whole.
 *
 * @param foreseen whether the reason is known to say all there is to know
 */
export function startFailureText(
  app: string,
  thrown: unknown,
  { foreseen, debug }: { foreseen: boolean; debug: boolean },
): string {
  const lines = [`${app} cannot start: ${reasonOf(thrown)}`]
  if (foreseen && !debug) return `${lines[0]}\n`
  // Where an error of ours was made is of no use, and its message has that of its cause.
  const known = thrown instanceof CoveyError && !debug
  let next = known ? thrown.cause : thrown
  lines.push(...framesOf(next, debug))
  for (let depth = 0; depth < maxCauses && next instanceof Error; depth++) {
    next = next.cause
    if (next instanceof Error) lines.push(`caused by: ${reasonOf(next)}`, ...framesOf(next, debug))
  }
  return `${lines.join('\n')}\n`
}

/** The lines of a stack below its message, which is said already; those within Node only where all are wanted. */
function framesOf(thrown: unknown, all: boolean): string[] {
  if (!(thrown instanceof Error)) return []
  const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return all ? frames : frames.filter((line) => !/\(node:|\bat (async )?node:/.test(line))
}
