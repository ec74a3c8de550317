import type { BoundMethod, Method } from './method.ts'

/** The methods of a contract, by name. */
export type Methods = Readonly<Record<string, Method>>

/** What a service can be asked: a name and its methods. A plain value that everyone may import. */
export interface Contract<Name extends string = string, M extends Methods = Methods> {
  readonly name: Name
  readonly methods: { readonly [K in keyof M]: BoundMethod<M[K]> }
}

const namePattern = /^[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*$/
const methodPattern = /^[a-z][A-Za-z0-9]*$/
const errorPattern = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/

/**
 * Declares a contract. It is shared by the service, its callers and the browser.
 *
 * @param name lower case, may have dots and dashes: `users`, `covey.health`
 * @throws TypeError if a name does not fit its form
 * @example
 * export const users = defineContract('users', {
 *   get: unary({ input: z.object({ id: z.string() }), output: User }),
 * })
 */
export function defineContract<Name extends string, M extends Methods>(
  name: Name,
  methods: M,
): Contract<Name, M> {
  requireForm(namePattern, name, 'contract name', 'lower case with dots or dashes, like "users"')
  const bound = Object.entries(methods).map(([method, definition]) => {
    requireForm(methodPattern, method, `method name in "${name}"`, 'camelCase, like "getUser"')
    for (const code of Object.keys(definition.errors)) {
      requireForm(errorPattern, code, `error code in "${name}.${method}"`, 'UPPER_SNAKE_CASE')
    }
    const path = `${name}.${method}`
    return [method, Object.freeze({ ...definition, service: name, name: method, path })]
  })
  return Object.freeze({ name, methods: Object.freeze(Object.fromEntries(bound)) })
}

function requireForm(pattern: RegExp, text: string, what: string, form: string): void {
  if (!pattern.test(text)) throw new TypeError(`${what} ${JSON.stringify(text)}: use ${form}`)
}
