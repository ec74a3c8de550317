/**
 * What a thrown value says, in one text that is never empty: its message with its class where that tells something; for an
 * `AggregateError`, which Node throws without a message when no address of a host answers, the reasons of its parts; else its code or name.
 */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  if (thrown.message !== '') return className(thrown) + thrown.message
  if (thrown instanceof AggregateError && thrown.errors.length > 0) {
    return [...new Set(thrown.errors.map(reasonOf))].join('; ')
  }
  const { code } = thrown as NodeJS.ErrnoException
  return code ?? thrown.name
}

/** `TypeError: ` points to a mistake in code; `Error` and our own class say nothing more than the message. */
function className({ name }: Error): string {
  return name === 'Error' || name === 'CoveyError' || name === '' ? '' : `${name}: `
}
