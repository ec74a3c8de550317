/**
 * Go's `net/rpc` with gob, its default codec, client and server both in Go: `go-net-rpc/*.go`, built by `go-build.ts`.
 * These processes only start the two programs, and sleep while they run. `GOMAXPROCS` is left alone, so both
 * programs use all cores.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { goProgram } from '../go-build.ts'
import type { Figures } from '../load.ts'
import type { BenchClient } from '../subject.ts'

/** The program says that it listens by its first line. */
export async function startServer(port: number): Promise<void> {
  const { answers } = start(['server', String(port)])
  await answers.next()
}

/** The program connects, makes a call on each connection and says so; then a line in is a load, a line out its figures. */
export async function connect(port: number, connections: number): Promise<BenchClient> {
  const { program, answers } = start(['client', String(port), String(connections)])
  await answers.next()
  return {
    async measure(load) {
      program.stdin!.write(`${JSON.stringify(load)}\n`)
      const { error, ...figures } = JSON.parse(await answers.next()) as Figures & { error?: string }
      if (error) throw new Error(error)
      return figures
    },
    async close() {
      program.stdin!.end()
      if (program.exitCode === null) await once(program, 'exit')
    },
  }
}

/** The program ends when its stdin does, and that is held open by this process alone. */
function start(args: string[]): { program: ChildProcess; answers: { next(): Promise<string> } } {
  const program = spawn(goProgram(), args, { stdio: ['pipe', 'pipe', 2] })
  const lines = createInterface({ input: program.stdout as Readable })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`go-net-rpc ${args.join(' ')}: the program ended`)
    return value
  }
  return { program, answers: { next } }
}
