/**
 * `node bench/run.ts <benchmark> [options]`: the one entry of all benchmarks. A benchmark prints
 * its result on stdout and everything else on stderr; it fails by throwing, which becomes exit code
 * 1.
 */
import { stopChildren } from './child.ts'

interface Benchmark {
  /** Takes the arguments behind the name; the returned text is the only thing written to stdout. */
  run(args: string[]): Promise<string>
}

const benchmarks: Record<string, () => Promise<Benchmark>> = {
  rpc: () => import('./rpc/benchmark.ts'),
}

await main()

async function main(): Promise<void> {
  const [name = '', ...args] = process.argv.slice(2)
  const load = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined
  if (!load) {
    console.error(`usage: npm run bench -- <${Object.keys(benchmarks).join('|')}> [options]`)
    process.exitCode = 2
    return
  }
  stopOnSignals()
  try {
    const benchmark = await load()
    process.stdout.write(`${await benchmark.run(args)}\n`)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  } finally {
    await stopChildren()
  }
}

/**
 * Ctrl-C and `kill` end the children first, by their ids, and leave with the shell's usual code.
 */
function stopOnSignals(): void {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
  for (const [signal, code] of Object.entries(codes)) {
    process.once(signal, () => {
      stopChildren().finally(() => process.exit(code))
    })
  }
}
