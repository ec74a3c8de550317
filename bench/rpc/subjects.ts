import type { ScenarioName } from './scenario.ts'
import type { Subject } from './subject.ts'

/** What the parent knows of a subject without loading it. */
export interface SubjectEntry {
  /** Loaded on demand: a process holds the code of its own subject alone. */
  load(): Promise<Subject>
  /** Its packages are in `bench/package.json`. */
  fromNpm: boolean
  /** Many calls share one connection; otherwise it opens as many connections as calls are in flight. */
  multiplexes: boolean
  scenarios: readonly ScenarioName[]
}

const entry = (
  load: () => Promise<Subject>,
  scenarios: readonly ScenarioName[],
  rest: Partial<SubjectEntry> = {},
): SubjectEntry => ({ load, scenarios, fromNpm: true, multiplexes: true, ...rest })

/** Every subject, in the order of the report. */
export const subjects = {
  covey: entry(
    () => import('./subjects/covey.ts'),
    ['unary', 'serverStream', 'bulk', 'idleConnections', 'startup', 'middleware', 'overload'],
    { fromNpm: false },
  ),
  bareJson: entry(
    () => import('./subjects/bare-json.ts'),
    ['unary', 'serverStream', 'idleConnections', 'startup'],
    { fromNpm: false },
  ),
  bareJsonEarly: entry(() => import('./subjects/bare-json-early.ts'), ['unary', 'serverStream'], {
    fromNpm: false,
  }),
  netPipe: entry(() => import('./subjects/net-pipe.ts'), ['bulk'], { fromNpm: false }),
  grpcJs: entry(
    () => import('./subjects/grpc-js.ts'),
    ['unary', 'serverStream', 'bulk', 'idleConnections', 'startup'],
  ),
  connect: entry(
    () => import('./subjects/connect.ts'),
    ['unary', 'serverStream', 'bulk', 'idleConnections', 'startup'],
  ),
  moleculer: entry(() => import('./subjects/moleculer.ts'), ['unary', 'startup']),
  nestjs: entry(
    () => import('./subjects/nestjs.ts'),
    ['unary', 'serverStream', 'idleConnections', 'startup'],
  ),
  trpc: entry(() => import('./subjects/trpc.ts'), ['unary', 'serverStream', 'startup'], {
    multiplexes: false,
  }),
  fastify: entry(
    () => import('./subjects/fastify.ts'),
    ['unary', 'serverStream', 'bulk', 'startup'],
    { multiplexes: false },
  ),
  goNetRpc: entry(() => import('./subjects/go-net-rpc.ts'), ['unary'], { fromNpm: false }),
} as const satisfies Record<string, SubjectEntry>

export type SubjectName = keyof typeof subjects

export const subjectNames = Object.keys(subjects) as SubjectName[]

/**
 * Turns text from a command line into a name. Throws with the list of names when there is none
 * such.
 */
export function subjectName(text: string | undefined): SubjectName {
  const name = subjectNames.find((candidate) => candidate === text)
  if (!name) throw new Error(`no subject '${text}'; there are: ${subjectNames.join(', ')}`)
  return name
}

export function can(name: SubjectName, scenario: ScenarioName): boolean {
  const { scenarios }: SubjectEntry = subjects[name]
  return scenarios.includes(scenario)
}
