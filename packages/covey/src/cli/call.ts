import { Command, InvalidArgumentError, Option } from 'commander'
import type { CallOptions } from '../contract/client.ts'
import type { JsonSchema, MethodDescription } from '../contract/describe-contract.ts'
import { CoveyError } from '../error/covey-error.ts'
import { describedContract } from '../rpc/described-contract.ts'
import { write } from './output.ts'
import { readElements, readInput } from './read-input.ts'
import { methodOf, openRemote, type RemoteOptions, remoteOptions, splitPath } from './remote.ts'
import { typeText } from './type-text.ts'
import { typedInput } from './typed-input.ts'
import { valueText } from './value-text.ts'

interface CallCommandOptions extends RemoteOptions {
  readonly timeout?: number
  readonly stream?: boolean
  readonly limit?: number
  readonly meta: Record<string, string>
  readonly instance?: string
}

/** The functions of a method that is known by its description alone. */
type AnyFunction = (input: unknown, options: CallOptions) => unknown

/** `covey call` */
export function callCommand(): Command {
  const command = new Command('call')
    .description('call a method and show what it answers; exit code 1 when it fails')
    .argument('<method>', 'service.method, like users.get')
    .argument(
      '[input]',
      'JSON, @file, or "-" for standard input; of a stream: a list, or "-" and lines',
    )
  for (const option of remoteOptions) command.addOption(option)
  return command
    .option('--timeout <ms>', 'time for the call (default: what the contract says)', toMs)
    .option('--stream', 'the method streams: show each element as it comes (found out by itself)')
    .option('--limit <count>', 'leave a stream after so many elements', toCount)
    .option('--instance <id>', 'only this instance')
    .addOption(
      new Option('-m, --meta <name=value>', 'metadata of the call, may be repeated')
        .argParser(addMeta)
        .default({}, 'none'),
    )
    .action(call)
}

async function call(path: string, argument: string | undefined, options: CallCommandOptions) {
  const { service, name } = splitPath(path)
  requireChoice(options)
  // Before anything is opened: a mistyped input needs no network, and files are named from here.
  const early = argument === '-' ? undefined : await readInput(argument)
  await using remote = await openRemote(options)
  const description = await remote.describe(service)
  const method = methodOf(description, name)
  requireStream(method, options)
  const api = remote.client(describedContract(description), service)
  const run = api[name] as unknown as AnyFunction
  const input = takesStream(method)
    ? typedElements(readElements(argument), method.input)
    : typedInput(early ?? (await late(argument)), method.input)
  try {
    await show(run(input, wishesOf(options)), options)
  } catch (error) {
    tell(error, path, method)
  }
}

function late(argument: string | undefined): Promise<unknown> {
  return argument === '-' ? readInput(argument) : Promise.resolve(undefined)
}

async function* typedElements(
  elements: AsyncIterable<unknown>,
  schema: JsonSchema | null,
): AsyncGenerator<unknown> {
  for await (const element of elements) yield typedInput(element, schema)
}

/** An address is one instance, whatever its id. */
function requireChoice({ instance, target }: CallCommandOptions): void {
  if (instance === undefined || target === undefined) return
  const message = '--instance chooses among those in the registry; leave it out beside --target'
  throw new CoveyError('INVALID_INPUT', message)
}

function takesStream({ kind }: MethodDescription): boolean {
  return kind === 'clientStream' || kind === 'duplex'
}

function requireStream({ kind, name }: MethodDescription, { stream }: CallCommandOptions): void {
  if (!stream || kind === 'serverStream' || kind === 'duplex') return
  throw new CoveyError('INVALID_INPUT', `${name} gives one answer; leave --stream out`)
}

function wishesOf({ timeout, meta, instance }: CallCommandOptions): CallOptions {
  return {
    metadata: meta,
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(instance === undefined ? {} : { instance }),
  }
}

/** One answer in full; elements of a stream on a line each, as they come. */
async function show(result: unknown, { limit = Infinity }: CallCommandOptions): Promise<void> {
  if (!isStream(result)) {
    const text = valueText(await result, process.stdout.isTTY ? 2 : 0)
    if (text !== '') await write(process.stdout, `${text}\n`)
    return
  }
  let shown = 0
  for await (const element of result) {
    shown += 1
    if (!(await write(process.stdout, `${valueText(element)}\n`)) || shown >= limit) return
  }
}

function isStream(result: unknown): result is AsyncIterable<unknown> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
}

/** An error of the call is an answer too: its code, what it says, and its details as data. */
function tell(error: unknown, path: string, { input }: MethodDescription): void {
  if (!(error instanceof CoveyError)) throw error
  const details = error.details === undefined ? '' : `${valueText(error.details, 2)}\n`
  const { code, message } = error
  const what = message.endsWith(code) ? message : `${code}: ${message}`
  const hint = code === 'INVALID_INPUT' ? `${path} takes ${typeText(input)}\n` : ''
  process.stderr.write(`covey: ${what}\n${details}${hint}`)
  process.exitCode = 1
}

function toMs(text: string): number {
  const ms = Number(text)
  if (!(ms > 0)) throw new InvalidArgumentError('It must be a number of milliseconds over 0.')
  return ms
}

function toCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a number from 1 on.')
  return Number(text)
}

function addMeta(text: string, before: Record<string, string>): Record<string, string> {
  const sign = text.indexOf('=')
  if (sign < 1) throw new InvalidArgumentError('It must be name=value.')
  const name = text.slice(0, sign)
  if (!/^[\w.-]+$/.test(name)) {
    throw new InvalidArgumentError('A name is of letters, digits, "-", "_" and ".".')
  }
  return { ...before, [name]: text.slice(sign + 1) }
}
