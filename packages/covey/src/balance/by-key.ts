import type { Candidate } from './balancer.ts'

/** A candidate that has a lasting name. */
export interface NamedCandidate extends Candidate {
  /** A number made of its name by {@link hashOf}, once. */
  readonly hash: number
}

/**
 * The candidate of a key: the same one for as long as it is there. When one goes, only its keys move, in equal parts to
 * all others; when one comes, it takes its part from each. Parts are in proportion to weights.
 *
 * Rendezvous hashing (highest random weight): each candidate draws a number from its name and the key, and the highest wins.
 * Sources: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (IEEE/ACM Transactions on Networking, 1998);
 * for the weights, −weight ÷ ln(u): Schindelhauer and Schomaker, "Weighted Distributed Hash Tables" (SPAA 2005).
 *
 * @param candidates at least one
 */
export function byKey<C extends NamedCandidate>(key: string, candidates: readonly C[]): C {
  const keyHash = hashOf(key)
  let best = candidates[0]!
  let bestScore = -1
  for (const candidate of candidates) {
    const score = scoreOf(mix(keyHash ^ candidate.hash), candidate.weight)
    const wins = score > bestScore || (score === bestScore && candidate.hash > best.hash)
    if (!wins) continue
    best = candidate
    bestScore = score
  }
  return best
}

function scoreOf(drawn: number, weight: number): number {
  // Between 0 and 1, neither of them.
  const u = (drawn + 0.5) / 2 ** 32
  return -weight / Math.log(u)
}

/** A number from 0 to 2^32 − 1 that differs in about half of its bits when the text differs in one: murmur3, on UTF-16 units. */
export function hashOf(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) {
    let unit = Math.imul(text.charCodeAt(at), 0xcc9e2d51)
    unit = Math.imul((unit << 15) | (unit >>> 17), 0x1b873593)
    hash ^= unit
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  return mix(hash ^ text.length)
}

/** The finalizer of murmur3. */
function mix(value: number): number {
  let hash = value ^ (value >>> 16)
  hash = Math.imul(hash, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
