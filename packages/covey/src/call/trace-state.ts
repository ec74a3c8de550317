/** Most members of a list. */
const maxMembers = 32

/** Most characters that are passed on: as many as everybody has to pass on. */
const maxLength = 512

/** Members above this size go first where the list is too long. */
const largeMember = 128

const member =
  /^(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

/**
 * Checks what tracing systems say to one another beside the place in a trace: `name=value,name=value`.
 * @returns the members as they are passed on, or nothing if the whole is not as it has to be: a wrong one is no error, for it is
 *   no matter of the call
 * Source: W3C Trace Context, 3.3 tracestate, with its limits of 3.3.1.5.
 */
export function readTraceState(text: string): string {
  // Nobody splits what may be megabytes.
  if (text.length > 16 * maxLength) return ''
  const members = text.split(',').map(withoutBlanks)
  const named = members.filter((part) => part !== '')
  if (named.length > maxMembers || !named.every((part) => member.test(part))) return ''
  const names = new Set(named.map((part) => part.slice(0, part.indexOf('='))))
  if (names.size < named.length) return ''
  return fitting(named).join(',')
}

/** Blanks and tabs around a member do not count. Not by an expression: those go back and forth. */
function withoutBlanks(part: string): string {
  const isBlank = (at: number) => part[at] === ' ' || part[at] === '\t'
  let start = 0
  let end = part.length
  while (start < end && isBlank(start)) start++
  while (end > start && isBlank(end - 1)) end--
  return part.slice(start, end)
}

/** Whole members alone are left out: the large ones, then from the end, where the oldest are. */
function fitting(members: readonly string[]): readonly string[] {
  let kept = members
  while (kept.join(',').length > maxLength) {
    const large = kept.findLastIndex((part) => part.length > largeMember)
    kept = kept.toSpliced(large === -1 ? kept.length - 1 : large, 1)
  }
  return kept
}
