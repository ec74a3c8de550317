/** Text that travels with a call: lower-case names to values. Never a plain object, so that no name can reach a prototype. */
export type Metadata = ReadonlyMap<string, string>

/** Metadata of a call that has none; shared, so that such calls cost nothing. */
export const noMetadata: Metadata = new Map()

/** Both, where the names of `own` win; one of them as it is when the other is empty. */
export function mergeMetadata(inherited: Metadata, own: Metadata): Metadata {
  if (own.size === 0) return inherited
  return inherited.size === 0 ? own : new Map([...inherited, ...own])
}

/**
 * Makes metadata from what a user typed: names become lower case.
 * @throws TypeError if a name has characters other than letters, digits, `-`, `_` and `.`.
 */
export function toMetadata(entries: Readonly<Record<string, string>> | undefined): Metadata {
  if (entries === undefined) return noMetadata
  const metadata = new Map<string, string>()
  for (const [name, value] of Object.entries(entries)) {
    if (!/^[\w.-]+$/.test(name)) {
      throw new TypeError(
        `metadata name ${JSON.stringify(name)}: use letters, digits, "-", "_", "."`,
      )
    }
    metadata.set(name.toLowerCase(), String(value))
  }
  return metadata
}
