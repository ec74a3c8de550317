import { availableParallelism } from 'node:os'
import { relative, resolve } from 'node:path'
import { buildWeb } from './build-web.ts'
import { ensureChromium } from './ensure-chromium.ts'
import { ensureFaketime } from './ensure-faketime.ts'
import { ensurePython } from './ensure-python.ts'
import { repositoryRoot } from './findings.ts'
import { runForeground } from './run-foreground.mjs'
import { trackedFiles } from './tracked-files.ts'

/**
 * A test that takes longer than this hangs. What a whole file may take is in limit-test-file.ts.
 */
const timeoutMs = 120_000

await main()

/**
 * `npm test [-- path…]`: everything, or just the named files and folders. What the tests need is
 * made ready first; the test runner's summary is the last that is written, and its exit code is
 * ours.
 */
async function main(): Promise<void> {
  const [options, named] = splitArguments(process.argv.slice(2))
  const files = named.length > 0 ? named.flatMap(testsAt) : allTests()
  if (files.length === 0) throw new Error(`there is no test in ${named.join(' or ')}`)
  if (files.some((file) => file.includes('/e2e/'))) await preparePages()
  if (files.some((file) => file.includes('/interop/'))) await preparePython()
  if (files.some((file) => file.includes('/test/clock/'))) await prepareFaketime()
  const args = [
    '--test',
    '--import=./scripts/limit-test-file.ts',
    '--test-reporter=spec',
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
    `--test-timeout=${timeoutMs}`,
    ...options,
    ...files,
  ]
  process.exitCode = await runForeground(process.execPath, args, { cwd: repositoryRoot })
}

/**
 * Options such as `--test-name-pattern=…` go to the test runner; files are named from where npm was
 * called.
 */
function splitArguments(args: string[]): [options: string[], files: string[]] {
  const from = process.env.INIT_CWD ?? process.cwd()
  const options = args.filter((arg) => arg.startsWith('-'))
  const files = args.filter((arg) => !arg.startsWith('-'))
  return [options, files.map((file) => relative(repositoryRoot, resolve(from, file)))]
}

/** A file as it is named; of a folder all tests below it. */
function testsAt(path: string): string[] {
  return /\.\w+$/.test(path) ? [path] : allTests().filter((test) => test.startsWith(`${path}/`))
}

/** `make check` is among them as repository.test.ts, so that one summary tells everything. */
function allTests(): string[] {
  return trackedFiles(repositoryRoot).filter((path) => {
    return /^(packages|apps|examples|scripts|docs)\/.*\.test\.ts$/.test(path)
  })
}

/**
 * Where no Chromium can be had the page tests skip themselves, but in CI that would be a hole that
 * nobody sees.
 */
async function preparePages(): Promise<void> {
  const chromium = await ensureChromium()
  if ('path' in chromium) process.env.CHROMIUM_PATH = chromium.path
  else if (process.env.CI === 'true') throw new Error(`no Chromium: ${chromium.missing}`)
  else console.error(`The page tests are skipped, for there is no Chromium: ${chromium.missing}`)
  await buildWeb(repositoryRoot)
}

/** As for the pages: the peers in Python are skipped elsewhere, never in CI. */
async function preparePython(): Promise<void> {
  const python = await ensurePython()
  if ('path' in python) process.env.COVEY_PYTHON = python.path
  else if (process.env.CI === 'true') throw new Error(`no Python: ${python.missing}`)
  else console.error(`The tests with peers in Python are skipped: ${python.missing}`)
}

/** As for Python: tests in which the clock jumps are skipped elsewhere, never in CI. */
async function prepareFaketime(): Promise<void> {
  const faketime = await ensureFaketime()
  if ('path' in faketime) process.env.COVEY_FAKETIME = faketime.path
  else if (process.env.CI === 'true') throw new Error(`no libfaketime: ${faketime.missing}`)
  else console.error(`The tests in which the clock jumps are skipped: ${faketime.missing}`)
}
