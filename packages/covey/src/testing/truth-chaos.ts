import type { ChaosDirection } from './chaos-proxy.ts'
import type { Toxics } from './toxics.ts'
import type { TruthFleet } from './truth-fleet.ts'

/** What trouble is made. */
export interface TruthChaosOptions {
  readonly random: () => number
  /** Bytes are damaged, repeated and reordered too; only where frames are sealed, for nothing else finds that. */
  readonly damage: boolean
  /** How many calls were begun: trouble comes with them, so that a slow machine gets no more of it than a quick one. */
  calls(): number
  /** Calls from one trouble to the next, half or up to twice of it at random. Default 1,000. */
  readonly callsPerTrouble?: number
}

interface Trouble {
  readonly name: string
  readonly make: () => void
}

/** Of so many troubles one leaves nobody there at all, so that every run has calls that are refused as not run. */
const troublesPerOutage = 10

/** Makes trouble for a fleet until it is stopped: networks that fail in all their ways, servers that die, drain and stall. */
export class TruthChaos {
  readonly #fleet: TruthFleet
  readonly #options: TruthChaosOptions
  readonly #counts: Record<string, number> = {}
  readonly #clears = new Set<NodeJS.Timeout>()
  readonly #timer: NodeJS.Timeout
  #nextAt = 0
  #made = 0

  constructor(fleet: TruthFleet, options: TruthChaosOptions) {
    this.#fleet = fleet
    this.#options = options
    this.#timer = setInterval(() => this.#look(), 10)
  }

  /** How often each trouble was made. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts
  }

  /** From now on all is well. */
  stop(): void {
    clearInterval(this.#timer)
    for (const timer of this.#clears) clearTimeout(timer)
    for (const proxy of this.#fleet.proxies) {
      proxy.clear()
      proxy.refuse(false)
    }
  }

  #look(): void {
    const { calls, callsPerTrouble = 1_000, random } = this.#options
    if (calls() < this.#nextAt) return
    this.#nextAt = calls() + callsPerTrouble * (0.5 + 1.5 * random())
    this.#make()
  }

  #make(): void {
    const index = this.#below(this.#fleet.proxies.length)
    this.#made += 1
    const outage = this.#made % troublesPerOutage === troublesPerOutage / 2
    const trouble = outage ? this.#outage() : this.#pick(this.#troubles(index))
    this.#counts[trouble.name] = (this.#counts[trouble.name] ?? 0) + 1
    trouble.make()
  }

  #outage(): Trouble {
    const make = () => {
      for (const index of this.#fleet.proxies.keys()) this.#refuse(index)
    }
    return { name: 'outage', make }
  }

  #troubles(index: number): Trouble[] {
    const { fleet, proxy } = { fleet: this.#fleet, proxy: this.#fleet.proxies[index]! }
    const toxic = (name: string, toxics: () => Partial<Toxics>, mostMs = 200) => ({
      name,
      make: () => this.#poison(index, toxics(), mostMs),
    })
    const ms = (most: number) => 1 + this.#below(most)
    const plain = [
      toxic('latency', () => ({ latencyMs: ms(30), jitterMs: ms(10) })),
      toxic('throttle', () => ({ bytesPerSecond: 20_000 + this.#below(500_000) })),
      toxic('slices', () => ({ sliceBytes: ms(64) })),
      toxic('random cuts', () => ({ cutChance: 0.05 })),
      toxic('cut behind some bytes', () => ({ cutAfterBytes: this.#below(100_000) })),
      toxic('end behind some bytes', () => ({ endAfterBytes: this.#below(100_000) })),
      toxic('half open', () => ({ swallow: true }), 600),
      toxic('held', () => ({ hold: true }), 500),
      toxic('slow end', () => ({ slowCloseMs: ms(200), endAfterBytes: 0 })),
      { name: 'cut', make: () => proxy.cut() },
      { name: 'refusing', make: () => this.#refuse(index) },
      { name: 'kill', make: () => fleet.kill(index) },
      { name: 'roll', make: () => fleet.roll(index) },
      { name: 'block', make: () => fleet.block(index, ms(300)) },
    ]
    if (!this.#options.damage) return plain
    return [
      ...plain,
      toxic('damaged', () => ({ corruptChance: 0.02 })),
      toxic('repeated', () => ({ duplicateChance: 0.02 })),
      toxic('reordered', () => ({ reorderChance: 0.02 })),
      toxic('damaged, much', () => ({
        corruptChance: 0.5,
        duplicateChance: 0.2,
        reorderChance: 0.2,
      })),
    ]
  }

  #poison(index: number, toxics: Partial<Toxics>, mostMs: number): void {
    const direction = this.#pick<ChaosDirection>(['up', 'down', 'both'])
    this.#fleet.proxies[index]!.set(toxics, direction)
    this.#later(mostMs, () => this.#fleet.proxies[index]!.clear())
  }

  #refuse(index: number): void {
    const proxy = this.#fleet.proxies[index]!
    proxy.refuse(true)
    proxy.cut()
    this.#later(200, () => proxy.refuse(false))
  }

  #later(mostMs: number, run: () => void): void {
    const end = () => {
      this.#clears.delete(timer)
      run()
    }
    const timer = setTimeout(end, 10 + this.#below(mostMs))
    this.#clears.add(timer)
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!
  }

  #below(limit: number): number {
    return Math.floor(this.#options.random() * limit)
  }
}
