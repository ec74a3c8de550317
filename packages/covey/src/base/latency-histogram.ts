/** Buckets to each doubling of the latency: values are told apart to about 3 %. */
const stepsPerOctave = 32
/** From 1 µs to 2^27 µs, more than two minutes. */
const octaves = 27
const bucketCount = stepsPerOctave * octaves

/**
 * Counts latencies in logarithmic buckets, in constant memory (about 7 KiB) and without allocation. The idea is that of HDR
 * Histogram (hdrhistogram.org): the error is relative, about 3 %, over the whole range of 1 µs to 2 minutes.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(bucketCount)
  #total = 0
  #sumMs = 0
  #maxMs = 0

  /** How many were recorded. */
  get total(): number {
    return this.#total
  }

  /** Mean in milliseconds; 0 when there are none. */
  get meanMs(): number {
    return this.#total === 0 ? 0 : this.#sumMs / this.#total
  }

  /** The longest, exactly. */
  get maxMs(): number {
    return this.#maxMs
  }

  record(ms: number): void {
    this.#counts[bucketOf(ms)]! += 1
    this.#total += 1
    this.#sumMs += ms
    if (ms > this.#maxMs) this.#maxMs = ms
  }

  /** The latency in milliseconds that the fraction `quantile` (0–1) of all does not exceed; 0 when there are none. */
  quantile(quantile: number): number {
    if (this.#total === 0) return 0
    const rank = Math.max(1, Math.ceil(quantile * this.#total))
    let seen = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.#counts[bucket]!
      if (seen >= rank) return Math.min(upperMs(bucket), this.#maxMs)
    }
    return this.#maxMs
  }

  /** How many lie between each bound and the one before; the last number is of those above all bounds. */
  countsBetween(boundsMs: readonly number[]): number[] {
    const counts = new Array<number>(boundsMs.length + 1).fill(0)
    let place = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      while (place < boundsMs.length && upperMs(bucket) > boundsMs[place]!) place += 1
      counts[place]! += this.#counts[bucket]!
    }
    return counts
  }

  /** Forgets everything. */
  reset(): void {
    this.#counts.fill(0)
    this.#total = this.#sumMs = this.#maxMs = 0
  }
}

function bucketOf(ms: number): number {
  const us = ms * 1_000
  if (!(us > 1)) return 0
  return Math.min(bucketCount - 1, Math.floor(Math.log2(us) * stepsPerOctave))
}

function upperMs(bucket: number): number {
  return 2 ** ((bucket + 1) / stepsPerOctave) / 1_000
}
