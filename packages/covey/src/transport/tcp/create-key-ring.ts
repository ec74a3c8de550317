import { CoveyError } from '../../error/covey-error.ts'
import type { AuthKey, KeyRing } from '../key-ring.ts'
import { authKey } from './auth-key.ts'
import { nodeCrypto } from './node-crypto.ts'
import { type FileSecrets, readSecretFile, rereadSecretFile } from './secret-file.ts'

/** A key as it is configured; exactly one of `secret` and `secretFile`. */
export interface KeyOptions {
  /** Tells which secret is meant; it is sent and shown openly. 1 to 64 characters. */
  readonly id: string
  /** Text of at least 32 characters that both sides hold: `openssl rand -base64 32` makes one. */
  readonly secret?: string | undefined
  /** A file that holds the secret, which only its owner may read. A runtime takes over what it holds later. */
  readonly secretFile?: string | undefined
  /** Who a peer is that proves to have it. Default `key:<id>`. */
  readonly subject?: string | undefined
}

/** Keys that can be replaced while connections are made with them. */
export interface LiveKeyRing extends KeyRing {
  /** Names of the keys, in their order. */
  readonly ids: readonly string[]
  /**
   * From now on connections are opened with the first of `keys` and accepted with each of them; existing ones go on.
   * @throws CoveyError `INVALID_SETTINGS`; the keys stay as they were then
   */
  replace(keys: readonly KeyOptions[]): void
  /**
   * Takes over what the files of keys hold now. The secret that a file held before is accepted for {@link overlapMs} more, so that
   * processes may look at different times. A key whose file cannot be used stays as it was.
   * @param nowMs monotonic time
   */
  refresh(nowMs: number): Promise<KeyChanges>
}

/** What became of the files of keys. */
export interface KeyChanges {
  /** Ids of the keys with another secret than before. */
  readonly changed: readonly string[]
  /** Why files cannot be used, by the ids of their keys. */
  readonly problems: ReadonlyMap<string, CoveyError>
}

/** Time for which the secret before is accepted after a file has got another one, in milliseconds: a day. */
export const overlapMs = 24 * 3_600_000

/** A key with what it was made of. */
interface HeldKey {
  readonly options: KeyOptions
  readonly key: AuthKey
  /** What the file held; undefined for a secret that was given itself. */
  readonly file: FileSecrets | undefined
  /** When the secret before is no longer accepted. */
  readonly previousEndsMs: number
}

/**
 * Keys that the processes of a fleet prove themselves with. The first one is used to connect, all are accepted.
 *
 * @throws CoveyError `INVALID_SETTINGS` naming the key by its id, never with a part of a secret
 * @example
 * const keys = createKeyRing([{ id: 'may', secret: process.env.MAY! }, { id: 'april', secret: process.env.APRIL! }])
 * const runtime = createRuntime({ keys })
 */
export function createKeyRing(keys: readonly KeyOptions[]): LiveKeyRing {
  let current = readKeys(keys)
  return {
    crypto: nodeCrypto,
    get ids() {
      return [...current.keys()]
    },
    first: () => current.values().next().value!.key,
    find: (id) => current.get(id)?.key,
    replace(next) {
      current = readKeys(next)
    },
    async refresh(nowMs) {
      const before = current
      const problems = new Map<string, CoveyError>()
      const looked = await Promise.all(
        [...before.values()].map((held) => {
          const kept = nowMs < held.previousEndsMs ? held : withoutPrevious(held)
          return refreshed(kept, nowMs).catch((error: unknown) => {
            problems.set(held.options.id, CoveyError.from(error))
            return kept
          })
        }),
      )
      // Keys that were replaced meanwhile have been read anew.
      if (current !== before) return { changed: [], problems: new Map() }
      current = new Map(looked.map((held) => [held.options.id, held]))
      const changed = looked.filter((held) => held.file !== before.get(held.options.id)!.file)
      return { changed: changed.map(({ options }) => options.id), problems }
    },
  }
}

function readKeys(keys: readonly KeyOptions[]): ReadonlyMap<string, HeldKey> {
  if (keys.length === 0) throw invalid('covey.keys: at least one key is needed')
  const read = new Map<string, HeldKey>()
  for (const [index, key] of keys.entries()) {
    if (!/^[\x21-\x7e]{1,64}$/.test(key.id)) {
      throw invalid(`covey.keys[${index}].id: use 1 to 64 letters, digits and signs, no blanks`)
    }
    if (read.has(key.id)) throw invalid(`covey.keys: the id "${key.id}" is there twice`)
    read.set(key.id, readKey(key))
  }
  return read
}

function readKey(options: KeyOptions): HeldKey {
  const { id, secret, secretFile } = options
  if ((secret === undefined) === (secretFile === undefined)) {
    throw invalid(`covey.keys: key "${id}" needs either secret or secretFile`)
  }
  const file = secretFile === undefined ? undefined : readSecretFile(secretFile, id)
  const secrets = file ?? { current: secret!, previous: undefined }
  return heldKey({ ...options, secret: undefined }, file, secrets)
}

/** The key by what its file holds now. @throws CoveyError `INVALID_SETTINGS` */
async function refreshed(held: HeldKey, nowMs: number): Promise<HeldKey> {
  const { options, file } = held
  if (file === undefined) return held
  const next = await rereadSecretFile(options.secretFile!, options.id)
  const sameSecret = next.current === file.current
  if (sameSecret && next.previous === file.previous) return held
  // Whoever writes a second line, or takes it away, says what is accepted.
  if (sameSecret || next.previous !== undefined) return heldKey(options, next, next)
  const both = { current: next.current, previous: file.current }
  return heldKey(options, next, both, nowMs + overlapMs)
}

function withoutPrevious({ options, file }: HeldKey): HeldKey {
  return heldKey(options, file, file!)
}

function heldKey(
  options: KeyOptions,
  file: FileSecrets | undefined,
  secrets: FileSecrets,
  previousEndsMs = Number.POSITIVE_INFINITY,
): HeldKey {
  const { id, subject = `key:${id}` } = options
  return { options, file, key: authKey(id, subject, secrets), previousEndsMs }
}

function invalid(message: string): CoveyError {
  return new CoveyError('INVALID_SETTINGS', message)
}
