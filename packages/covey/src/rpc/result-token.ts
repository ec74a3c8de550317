import { CoveyError } from '../error/covey-error.ts'

/** Of random bits in a token: what makes it impossible to guess. */
const randomBytes = 18
const longestToken = 512
const form = /^[^\s~][^\s]{0,400}~[\w-]{22,100}$/

/** Makes the token of a result that this instance keeps: `<instance>~<144 random bits in base64url>`. */
export function newResultToken(instance: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(randomBytes))
  const text = btoa(String.fromCharCode(...bytes))
  return `${instance}~${text.replaceAll('+', '-').replaceAll('/', '_')}`
}

/**
 * Which instance keeps the result of a token.
 * @throws CoveyError `INVALID_INPUT` if the text is no token
 */
export function instanceOfToken(token: unknown): string {
  if (typeof token !== 'string' || token.length > longestToken || !form.test(token)) {
    throw new CoveyError('INVALID_INPUT', 'this is not the token of a submitted call')
  }
  return token.slice(0, token.lastIndexOf('~'))
}
