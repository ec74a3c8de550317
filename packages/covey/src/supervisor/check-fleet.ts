import {
  FieldReader,
  type FleetProblem,
  listRule,
  nameRule,
  objectRule,
  oneOf,
  textMapRule,
  textRule,
  textsRule,
  unknownName,
  urlRule,
  wholeNumber,
} from './field-reader.ts'
import type { BannerLine, Fleet, FleetProcess } from './fleet.ts'
import { startWaves } from './start-waves.ts'

const fleetKeys = ['name', 'processes', 'banner', 'admin']
const processKeys = [
  'name',
  'entry',
  'args',
  'replicas',
  'env',
  'restart',
  'health',
  'after',
  'startTimeoutMs',
  'stopTimeoutMs',
  'url',
]

const milliseconds = wholeNumber(1, 86_400_000)
const restart = oneOf('always', 'never')
const health = oneOf('covey', 'none')
/** What `childEnv` sets. */
const ownVariables = ['COVEY_PROCESS', 'COVEY_REPLICA', 'COVEY_DIR', 'COVEY_CONTROL']
/** The supervisor's own name in logs. */
const reservedName = 'covey'

/** Checks a config and fills in its defaults. With problems, wrong fields of the fleet hold defaults. */
export function checkFleet(options: unknown): { fleet: Fleet; problems: FleetProblem[] } {
  const problems: FleetProblem[] = []
  const top = new FieldReader(options, '', fleetKeys, problems)
  const name = top.require('name', nameRule, 'fleet')
  const written = Object.entries(top.require('processes', objectRule, {}))
  if (written.length === 0) top.report('processes', 'at least one process is needed')
  const processes = new Map<string, FleetProcess>()
  const urls: BannerLine[] = []
  for (const [key, value] of written) {
    const { process, url } = checkProcess(key, value, problems)
    processes.set(key, process)
    if (url !== '') urls.push({ label: key, url })
  }
  checkOrder(processes, problems)
  const banner = [...checkBanner(top, problems), ...urls]
  const admin = new FieldReader(top.read('admin', objectRule, {}), 'admin', ['port'], problems)
  const port = admin.read('port', wholeNumber(1, 65_535), 9501)
  const fleet = { name, processes: Object.fromEntries(processes), banner, admin: { port } }
  return { fleet: freeze(fleet), problems }
}

function checkProcess(name: string, value: unknown, problems: FleetProblem[]) {
  const fields = new FieldReader(value, `processes.${name}`, processKeys, problems)
  if (!nameRule.fits(name)) fields.report('', `the name must be ${nameRule.expected}`)
  if (name === reservedName) fields.report('', 'this name belongs to the supervisor, use another')
  const env = fields.read('env', textMapRule, {})
  for (const key of Object.keys(env)) {
    if (ownVariables.includes(key)) fields.report(`env.${key}`, 'this is set by the supervisor')
  }
  const process: FleetProcess = {
    name: fields.read('name', oneOf(name), name),
    entry: fields.require('entry', textRule, ''),
    args: [...fields.read('args', textsRule, [])],
    replicas: fields.read('replicas', wholeNumber(1, 64), 1),
    env: { ...env },
    restart: fields.read('restart', restart, 'always'),
    health: fields.read('health', health, 'covey'),
    after: [...fields.read('after', textsRule, [])],
    startTimeoutMs: fields.read('startTimeoutMs', milliseconds, 30_000),
    stopTimeoutMs: fields.read('stopTimeoutMs', milliseconds, 35_000),
  }
  return { process, url: fields.read('url', urlRule, '') }
}

function checkOrder(processes: ReadonlyMap<string, FleetProcess>, problems: FleetProblem[]): void {
  const names = [...processes.keys()]
  for (const { name, after } of processes.values()) {
    for (const other of after.filter((other) => !processes.has(other))) {
      problems.push({
        path: `processes.${name}.after`,
        message: unknownName('process', other, names),
      })
    }
  }
  const { cycle } = startWaves([...processes.values()])
  if (cycle.length > 0) {
    const message = `${cycle.join(', ')} wait for each other; take one of them out of "after"`
    problems.push({ path: 'processes', message })
  }
}

function checkBanner(top: FieldReader, problems: FleetProblem[]): BannerLine[] {
  return top.read('banner', listRule, []).map((value, index) => {
    const line = new FieldReader(value, `banner.${index}`, ['label', 'url'], problems)
    return { label: line.require('label', textRule, ''), url: line.require('url', urlRule, '') }
  })
}

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) freeze(part)
  }
  return Object.freeze(value)
}
