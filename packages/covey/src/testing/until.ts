import { setTimeout as wait } from 'node:timers/promises'

/**
 * Waits until `check` holds, looking every 5 ms.
 * @param what for the error: what was waited for
 * @throws Error after `limitMs`, 5 s unless said
 */
export async function until(
  check: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 5_000,
): Promise<void> {
  const endMs = performance.now() + limitMs
  while (!(await check())) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`)
    await wait(5)
  }
}
