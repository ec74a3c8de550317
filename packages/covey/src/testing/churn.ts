import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** What is left behind one round of clients and servers, when all of them are gone. */
export interface ChurnRound {
  /** Of the truth ledger. */
  readonly problems: readonly string[]
  readonly outcomes: Readonly<Record<string, number>>
  /** Behind a forced collection. */
  readonly heapBytes: number
  readonly rssBytes: number
  /** Timers of the clock that all of them share. */
  readonly timers: number
  /** Open files and sockets. */
  readonly files: number
  /** What keeps the process alive. */
  readonly resources: string
}

const script = fileURLToPath(new URL('./fixtures/churn-loop.ts', import.meta.url))

/** Lets clients and servers come and go in a process of their own for some time, and tells what each round left behind. */
export async function churn(seconds: number, seed: number): Promise<ChurnRound[]> {
  const child = spawn(process.execPath, ['--expose-gc', script, String(seconds), String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const rounds: ChurnRound[] = []
  try {
    for await (const line of createInterface(child.stdout)) rounds.push(JSON.parse(line))
  } finally {
    child.kill('SIGKILL')
  }
  const [code] = await exit
  if (code !== 0 && code !== null) throw new Error(`the process exited with ${code}`)
  return rounds
}

/** The middle slope of all pairs of values, per step: what outliers cannot bend. Source: Theil (1950), Sen (1968). */
export function middleSlope(values: readonly number[]): number {
  const slopes: number[] = []
  for (let to = 1; to < values.length; to++) {
    for (let from = 0; from < to; from++) slopes.push((values[to]! - values[from]!) / (to - from))
  }
  return middle(slopes)
}

/** The middle one of some values. */
export function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
