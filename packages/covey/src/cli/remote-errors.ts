import { closestName } from '../base/closest-name.ts'
import { CoveyError } from '../error/covey-error.ts'

/** A name that is not there, with the one that was probably meant. */
export function unknownName(what: string, name: string, known: readonly string[]): CoveyError {
  const closest = closestName(name, known)
  const own = known.filter((other) => !other.startsWith('covey.'))
  const hint = closest === undefined ? '' : `; did you mean "${closest}"?`
  const list = own.length === 0 ? 'nothing is there' : `there are: ${own.join(', ')}`
  return new CoveyError('NOT_FOUND', `no ${what} "${name}"${hint} (${list})`)
}

/** No instance has registered: most likely the fleet does not run, or this is another folder. */
export function nobodyThere({
  target,
  registry,
}: {
  target: string | undefined
  registry: string
}): CoveyError {
  if (target !== undefined) {
    return new CoveyError('NOT_FOUND', `${target} has no service of its own`)
  }
  const where = `${registry} (seen from ${process.cwd()})`
  const advice = 'start them, run this in the folder of their project, or say --target host:port'
  return new CoveyError('NOT_FOUND', `no services are registered in ${where}: ${advice}`)
}

/** A command asks once, so it does not speak of a next try, nor of the contract it asks through. */
export function notReached(
  error: CoveyError,
  { asked, target, lookMs }: { asked: string; target: string | undefined; lookMs: number },
): CoveyError {
  const { code, details } = error
  const { instances } = (details ?? {}) as { instances?: unknown }
  const tried = Array.isArray(instances) ? instances.map(String) : []
  if (code === 'DEADLINE_EXCEEDED') {
    const message = `${asked} does not say within ${lookMs / 1_000} s what it serves; is it a Covey server?`
    return new CoveyError(code, message, { cause: error })
  }
  if (code === 'UNIMPLEMENTED') {
    const message = `${asked} does not tell what it serves, as gateways do not: ask the service behind it`
    return new CoveyError(code, message, { cause: error })
  }
  if (code !== 'UNAVAILABLE' || tried.length === 0) return error
  const own = target === undefined ? '' : `${target}: `
  const reasons = tried.map((text) => text.replace(own, '').replace(/; next try in \d+ ms/g, ''))
  return new CoveyError(code, `${asked}: ${reasons.join('; ')}`, { cause: error })
}
