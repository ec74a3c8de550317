import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countExternalBytes } from './external-bytes.ts'

const MiB = 2 ** 20

/** The most memory of buffers that there was at one time, above what there was before, in bytes. */
async function peakOf(bytes: number, total: number): Promise<number> {
  const before = process.memoryUsage().arrayBuffers
  let peak = 0
  for (let made = 0; made < total; made += bytes) {
    const buffer = new Uint8Array(bytes)
    countExternalBytes(bytes)
    assert.equal(buffer[0], 0)
    if (made % (4 * bytes) > 0) continue
    // What was collected is freed beside.
    await new Promise((resolve) => setImmediate(resolve))
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
  }
  return peak
}

for (const kibibytes of [16, 65, 1024]) {
  test(`512 MiB of buffers of ${kibibytes} KiB that are dropped at once do not pile up`, async () => {
    const peak = await peakOf(kibibytes * 1024, 512 * MiB)
    assert.ok(peak < 32 * MiB, `${Math.round(peak / MiB)} MiB`)
  })
}
