/** Pages mostly forbid it by their policy, and browsers report each try, so it is not tried there. */
let allowed = globalThis.process?.versions?.node !== undefined

/**
 * A function whose body is `text`. Undefined where code may not be made from text: in browsers, and in processes started with
 * `--disallow-code-generation-from-strings`.
 * @throws SyntaxError
 */
export function codeFromText<F>(parameters: readonly string[], text: string): F | undefined {
  if (!allowed) return undefined
  try {
    return new Function(...parameters, text) as F
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    allowed = false
    return undefined
  }
}
