import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../observe/log.ts'
import type { LiveKeyRing } from './create-key-ring.ts'

/** What `followKeyFiles` needs. */
export interface FollowKeyFilesOptions {
  readonly clock: Clock
  readonly log: Log
  /** How often the files are looked at, in milliseconds. Default 5,000. */
  readonly checkMs?: number
}

/**
 * Lets keys follow their files: what a tool puts there (a mounted secret) is used for new connections within `checkMs`, without
 * a restart. A file that cannot be used is reported once, and its key stays as it was.
 */
export function followKeyFiles(
  keys: LiveKeyRing,
  { clock, log, checkMs = 5_000 }: FollowKeyFilesOptions,
): AsyncDisposable {
  let told: ReadonlyMap<string, string> = new Map()
  let checking: Promise<void> | undefined
  const timer = clock.every(checkMs, () => {
    checking ??= check().finally(() => {
      checking = undefined
    })
  })

  async function check(): Promise<void> {
    const { changed, problems } = await keys.refresh(clock.monotonicMs())
    for (const key of changed) log.info({ key }, 'a key has a new secret')
    for (const [key, err] of problems) {
      if (told.get(key) === err.message) continue
      log.error({ key, err }, 'the file of a key cannot be used; the last good secret stays')
    }
    told = new Map([...problems].map(([key, { message }]) => [key, message]))
  }

  return {
    async [Symbol.asyncDispose]() {
      timer.stop()
      await checking
    },
  }
}
