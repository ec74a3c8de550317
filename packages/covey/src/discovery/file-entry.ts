import { hostname } from 'node:os'
import { CoveyError } from '../error/covey-error.ts'
import { checkInstance } from './check-instance.ts'
import type { ProcessIdentity } from './process-identity.ts'
import type { Instance } from './registry.ts'

/** Largest file of an entry, in bytes. */
export const maxEntryBytes = 64 * 1024

/** What the name of a file says: whose entry it is, and which process holds it. */
export interface EntryName {
  readonly name: string
  readonly id: string
  readonly holder: ProcessIdentity
  /** Whether the file is still being written, or its writer was killed meanwhile. */
  readonly temporary: boolean
}

const namePattern =
  /^(?<id>[A-Za-z0-9][A-Za-z0-9._-]{0,127})@(?<machine>[0-9a-f]{12})-(?<pid>[1-9]\d{0,9})-(?<started>\d{1,20})-[0-9a-f]{12}\.json(?<tmp>\.tmp)?$/

/**
 * The name of the file of an entry. It names the process that holds the entry, so that no other process ever uses the
 * same name: whoever sees that this process has ended may remove the file without harm to anyone.
 *
 * @param nonce 12 hexadecimal digits that tell leases of one process apart
 */
export function entryName(id: string, holder: ProcessIdentity, nonce: string): string {
  return `${id}@${holder.machine}-${holder.pid}-${holder.started}-${nonce}.json`
}

/** Reads the name of a file; undefined when no registry gives such names. */
export function parseEntryName(name: string): EntryName | undefined {
  const groups = namePattern.exec(name)?.groups
  if (groups === undefined) return undefined
  const { id = '', machine = '', pid, started = '', tmp } = groups
  const holder = { machine, pid: Number(pid), started }
  return { name, id, holder, temporary: tmp !== undefined }
}

/**
 * The content of a file. `host` is for people who look at it.
 * @throws CoveyError `INVALID_INPUT` when it would be too large
 */
export function formatEntry(instance: Instance, holder: ProcessIdentity): string {
  const { pid, started } = holder
  const content = { version: 1, host: hostname(), pid, started, instance }
  const text = `${JSON.stringify(content, undefined, 2)}\n`
  if (Buffer.byteLength(text) <= maxEntryBytes) return text
  throw new CoveyError('INVALID_INPUT', `instance ${instance.id}: its entry is larger than 64 KiB`)
}

/**
 * Checks the content of a file.
 * @throws Error that says what is wrong
 */
export function parseEntry(text: string, { id, holder }: EntryName): Instance {
  const content: unknown = JSON.parse(text)
  if (typeof content !== 'object' || content === null) throw new Error('not a JSON object')
  const { version, pid, started, instance } = content as Record<string, unknown>
  if (version !== 1) throw new Error('version: expected 1')
  if (pid !== holder.pid || started !== holder.started) {
    throw new Error('pid, started: not those in the name of the file')
  }
  const checked = checkInstance(instance)
  if (checked.id !== id) throw new Error('instance.id: not the one in the name of the file')
  return checked
}
