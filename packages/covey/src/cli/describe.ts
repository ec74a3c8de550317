import { Command } from 'commander'
import { durationText } from '../base/duration-text.ts'
import type { ContractDescription, MethodDescription } from '../contract/describe-contract.ts'
import { write } from './output.ts'
import {
  methodOf,
  openRemote,
  type Remote,
  type RemoteOptions,
  remoteOptions,
  splitPath,
} from './remote.ts'
import { nobodyThere } from './remote-errors.ts'
import { formatTable } from './table.ts'
import { typeText } from './type-text.ts'

interface DescribeOptions extends RemoteOptions {
  readonly json?: boolean
}

const kinds = {
  unary: '',
  serverStream: 'gives a stream',
  clientStream: 'takes a stream',
  duplex: 'takes and gives a stream',
} as const

/** `covey describe` */
export function describeCommand(): Command {
  const command = new Command('describe')
    .description('show which services there are, and what a service or a method takes and gives')
    .argument('[name]', 'a service (users) or a method (users.get)')
  for (const option of remoteOptions) command.addOption(option)
  return command.option('--json', 'as JSON, types as JSON Schema').action(describe)
}

async function describe(name: string | undefined, options: DescribeOptions): Promise<void> {
  await using remote = await openRemote(options)
  const found = name === undefined ? await all(remote) : await one(remote, name)
  const several = found.length > 1
  const text = options.json
    ? `${JSON.stringify(found, null, 2)}\n`
    : found.map(several ? overviewText : contractText).join('\n')
  const hint = several && !options.json ? '\n"covey describe <service>" shows the types\n' : ''
  await write(process.stdout, text + hint)
}

async function all(remote: Remote): Promise<ContractDescription[]> {
  const names = await remote.services()
  const own = names.filter((name) => !name.startsWith('covey.'))
  if (own.length === 0) throw nobodyThere(remote)
  return Promise.all(own.map((name) => remote.describe(name)))
}

/** A service, or one of its methods; the name of a service may have a dot itself. */
async function one(remote: Remote, name: string): Promise<ContractDescription[]> {
  const known = await remote.services()
  if (known.includes(name) || !name.includes('.')) return [await remote.describe(name)]
  const parts = splitPath(name)
  const whole = await remote.describe(name).catch(() => undefined)
  if (whole !== undefined) return [whole]
  const description = await remote.describe(parts.service)
  return [{ ...description, methods: [methodOf(description, parts.name)] }]
}

/** The methods of a contract, a line each. */
export function overviewText({ name, methods }: ContractDescription): string {
  const rows = methods.map((method) => [
    `  ${method.name}`,
    inputText(method),
    notesOf(method).join(', '),
  ])
  return `${name}\n${formatTable(rows)}`
}

/** The names of what a method takes, or how its input is called where it has none. */
function inputText({ input }: MethodDescription): string {
  const names = Object.keys((input?.properties ?? {}) as Record<string, unknown>)
  if (input?.type === 'object' && names.length > 0) return `{ ${names.join(', ')} }`
  const text = typeText(input)
  return input === null ? '' : text.length > 40 || text.includes('\n') ? '…' : text
}

/** A contract for people. */
export function contractText({ name, methods }: ContractDescription): string {
  return `${name}\n${methods.map((method) => `\n${methodText(method)}`).join('')}`
}

function methodText(method: MethodDescription): string {
  const { name, kind, input, output, errors } = method
  const notes = notesOf(method)
  const rows: [string, string][] = [
    [kind === 'clientStream' || kind === 'duplex' ? 'takes each' : 'takes', typeText(input, 16)],
    [kind === 'serverStream' || kind === 'duplex' ? 'gives each' : 'gives', typeText(output, 16)],
    ...Object.entries(errors).map(([code, details]): [string, string] => [
      'fails with',
      `${code}${details === null ? '' : ` ${typeText(details, 16)}`}`,
    ]),
  ]
  const lines = rows.map(([label, text]) => `    ${label.padEnd(12)}${text}\n`)
  return `  ${name}${notes.length === 0 ? '' : `  (${notes.join(', ')})`}\n${lines.join('')}`
}

function notesOf({ kind, idempotent, timeoutMs }: MethodDescription): string[] {
  const repeat = idempotent ? 'may be repeated' : ''
  const time = timeoutMs === null ? '' : durationText(timeoutMs)
  return [kinds[kind], repeat, time].filter((note) => note !== '')
}
