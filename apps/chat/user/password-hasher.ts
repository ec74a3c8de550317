import { scrypt, timingSafeEqual } from 'node:crypto'
import { CoveyError } from 'covey'
import type { RandomBytes } from '../base/random-bytes.ts'

/** Cost of one hash. Memory is 128 × 2^logN × r bytes. */
interface ScryptCost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

/** 32 MiB and about 60 ms. Source: OWASP Password Storage Cheat Sheet, scrypt at 32 MiB (with p = 1 for latency). */
const defaultCost: ScryptCost = { logN: 15, r: 8, p: 1 }

const saltBytes = 16
const hashBytes = 32
// Bounds on what a stored hash may ask for, should somebody have changed the file.
const maxMemoryBytes = 128 * 1024 * 1024

/** Bounds of a {@link PasswordHasher}. */
export interface PasswordHasherOptions {
  random: RandomBytes
  /** Hashes at one time; each takes 32 MiB and a thread. Default 2. */
  maxRunning?: number
  /** Hashes that wait. Default 100. */
  maxWaiting?: number
  cost?: ScryptCost
}

/** Hashes passwords with scrypt, a few at a time so that logins never take all memory and all threads. */
export class PasswordHasher {
  readonly #random: RandomBytes
  readonly #cost: ScryptCost
  readonly #maxRunning: number
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(options: PasswordHasherOptions) {
    this.#random = options.random
    this.#cost = options.cost ?? defaultCost
    this.#maxRunning = options.maxRunning ?? 2
    this.#maxWaiting = options.maxWaiting ?? 100
  }

  /**
   * Hashes a new password. The result names its parameters and salt: `$scrypt$ln=15,r=8,p=1$salt$hash`.
   * @throws CoveyError `RESOURCE_EXHAUSTED` if too many hashes wait
   */
  async hash(password: string): Promise<string> {
    const salt = this.#random(saltBytes)
    return formatHash(this.#cost, salt, await this.#derive(password, salt, this.#cost))
  }

  /**
   * Whether this is the password of that hash. Takes the same time whatever the answer.
   * @param stored undefined when there is no such account: then as much work is done, in vain
   */
  async verify(password: string, stored: string | undefined): Promise<boolean> {
    const { cost, salt, hash } = stored === undefined ? this.#nobody() : parseHash(stored)
    const derived = await this.#derive(password, salt, cost)
    return timingSafeEqual(derived, hash) && stored !== undefined
  }

  /** Whether a hash was made at another cost than today's and should be made again. */
  outdated(stored: string): boolean {
    const { logN, r, p } = parseHash(stored).cost
    return logN !== this.#cost.logN || r !== this.#cost.r || p !== this.#cost.p
  }

  #nobody(): StoredHash {
    return { cost: this.#cost, salt: this.#random(saltBytes), hash: Buffer.alloc(hashBytes) }
  }

  async #derive(password: string, salt: Buffer, cost: ScryptCost): Promise<Buffer> {
    await this.#enter()
    try {
      return await runScrypt(password, salt, cost)
    } finally {
      this.#leave()
    }
  }

  #enter(): Promise<void> {
    if (this.#running < this.#maxRunning) {
      this.#running += 1
      return Promise.resolve()
    }
    if (this.#waiting.length >= this.#maxWaiting) {
      const details = { rule: 'password hashing', retryAfterMs: 1_000 }
      throw new CoveyError('RESOURCE_EXHAUSTED', 'too many logins at once', { details })
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Hands the place to the next, or gives it back. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running -= 1
    else next()
  }
}

interface StoredHash {
  readonly cost: ScryptCost
  readonly salt: Buffer
  readonly hash: Buffer
}

function formatHash({ logN, r, p }: ScryptCost, salt: Buffer, hash: Buffer): string {
  return `$scrypt$ln=${logN},r=${r},p=${p}$${salt.toString('base64')}$${hash.toString('base64')}`
}

function parseHash(stored: string): StoredHash {
  const match = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(stored)
  if (match === null) throw new Error('a stored password hash is not of the form $scrypt$…')
  const [, logN, r, p, salt, hash] = match
  return {
    cost: { logN: Number(logN), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt!, 'base64'),
    hash: Buffer.from(hash!, 'base64'),
  }
}

function runScrypt(password: string, salt: Buffer, { logN, r, p }: ScryptCost): Promise<Buffer> {
  const text = password.normalize('NFKC')
  return new Promise((resolve, reject) => {
    const options = { N: 2 ** logN, r, p, maxmem: maxMemoryBytes }
    scrypt(text, salt, hashBytes, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}
