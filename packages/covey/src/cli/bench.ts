import { Command, InvalidArgumentError } from 'commander'
import { systemClock } from '../base/clock.ts'
import { CoveyError } from '../error/covey-error.ts'
import { describedContract } from '../rpc/described-contract.ts'
import { histogramText, latencyText } from './latency-text.ts'
import { type LoadProgress, type LoadReport, runLoad } from './load-run.ts'
import { readInput } from './read-input.ts'
import { methodOf, openRemote, type RemoteOptions, remoteOptions, splitPath } from './remote.ts'
import { typedInput } from './typed-input.ts'

interface BenchOptions extends RemoteOptions {
  readonly concurrency: number
  readonly seconds: number
  readonly timeout?: number
  readonly json?: boolean
}

/** The live line is drawn anew so often, in milliseconds. */
const drawMs = 500

/** `covey bench` */
export function benchCommand(): Command {
  const command = new Command('bench')
    .description('call a method again and again, and show how fast it answers')
    .argument('<method>', 'service.method, like users.get')
    .argument('[input]', 'JSON, @file, or "-" for standard input')
  for (const option of remoteOptions) command.addOption(option)
  return command
    .option('-c, --concurrency <count>', 'callers at once, up to 10,000', toCallers, 16)
    .option('-s, --seconds <count>', 'how long', toSeconds, 10)
    .option('--timeout <ms>', 'time for one call (default: what the contract says)', toSeconds)
    .option('--json', 'the result as JSON')
    .action(bench)
}

async function bench(path: string, argument: string | undefined, options: BenchOptions) {
  const { service, name } = splitPath(path)
  const early = await readInput(argument)
  await using remote = await openRemote(options)
  const description = await remote.describe(service)
  const method = methodOf(description, name)
  if (method.kind !== 'unary') {
    throw new CoveyError(
      'INVALID_INPUT',
      `${path} streams; only methods with one answer are measured`,
    )
  }
  const input = typedInput(early, method.input)
  const api = remote.client(describedContract(description), service)
  const run = api[name] as unknown as (input: unknown, options: object) => Promise<unknown>
  const wishes = options.timeout === undefined ? {} : { timeoutMs: options.timeout }
  // One call first: connecting is not what is measured, and a wrong input is told before thousands of calls.
  await run(input, wishes)
  const live = process.stderr.isTTY ?? false
  const stop = stopSignal()
  const report = await runLoad({
    clock: systemClock,
    concurrency: options.concurrency,
    durationMs: options.seconds * 1_000,
    call: () => run(input, wishes),
    reportMs: live ? drawMs : 1_000,
    signal: stop,
    onProgress: (progress) =>
      process.stderr.write(live ? `\r\x1b[2K${liveLine(progress)}` : `${liveLine(progress)}\n`),
  })
  if (live) process.stderr.write('\r\x1b[2K')
  process.stdout.write(options.json ? reportJson(report) : reportText(report, options.concurrency))
  if (report.calls === 0) process.exitCode = 1
}

/** Ctrl-C ends the run; what was measured until then is shown. */
function stopSignal(): AbortSignal {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  return stop.signal
}

/** What the last moments were like. */
function liveLine({ elapsedMs, callsPerSecond, latency, failed }: LoadProgress): string {
  const tail = failed === 0 ? '' : `  ${failed} failed`
  const [p50, p99] = [latency.quantile(0.5), latency.quantile(0.99)].map(latencyText)
  const seconds = Number((elapsedMs / 1_000).toFixed(1))
  return `${seconds} s  ${rateText(callsPerSecond)} calls/s  p50 ${p50}  p99 ${p99}${tail}`
}

function reportText(report: LoadReport, concurrency: number): string {
  const { calls, elapsedMs, callsPerSecond, latency, firstErrors, errors } = report
  const quantiles = [0.5, 0.9, 0.99, 0.999].map(
    (quantile) => `p${quantile * 100} ${latencyText(latency.quantile(quantile))}`,
  )
  const failures = [...errors].map(
    ([code, count]) => `  ${count} × ${code}: ${firstErrors.get(code)?.message}\n`,
  )
  const head = `${rateText(callsPerSecond)} calls/s (${rateText(calls)} in ${(elapsedMs / 1_000).toFixed(1)} s, ${concurrency} at once)`
  const mean = latencyText(latency.meanMs)
  return `${head}\n${quantiles.join('  ')}  max ${latencyText(latency.maxMs)}  mean ${mean}\n\n${histogramText(latency)}${failures.length === 0 ? '' : `\nfailed:\n${failures.join('')}`}`
}

function reportJson(report: LoadReport): string {
  const { calls, elapsedMs, callsPerSecond, latency, errors } = report
  const quantile = (part: number) => Math.round(latency.quantile(part) * 1_000)
  const figures = {
    calls,
    elapsedMs: Math.round(elapsedMs),
    callsPerSecond: Math.round(callsPerSecond),
    p50us: quantile(0.5),
    p90us: quantile(0.9),
    p99us: quantile(0.99),
    p999us: quantile(0.999),
    maxUs: Math.round(latency.maxMs * 1_000),
    errors: Object.fromEntries(errors),
  }
  return `${JSON.stringify(figures, null, 2)}\n`
}

function rateText(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function toCallers(text: string): number {
  const count = Number(text)
  if (/^\d{1,5}$/.test(text) && count >= 1 && count <= 10_000) return count
  throw new InvalidArgumentError('It must be a number from 1 to 10,000.')
}

function toSeconds(text: string): number {
  const count = Number(text)
  if (count > 0 && count < 1e7) return count
  throw new InvalidArgumentError('It must be a number over 0.')
}
