import type { Subject } from './subject.ts'

/**
 * Every subject, in the order of the report. Loaded on demand: a process holds the code of its own
 * subject alone.
 */
export const subjects = {
  covey: () => import('./covey.ts'),
  bareJson: () => import('./bare-json.ts'),
  grpcJs: () => import('./grpc-js.ts'),
  moleculer: () => import('./moleculer.ts'),
  nestjs: () => import('./nestjs.ts'),
} as const satisfies Record<string, () => Promise<Subject>>

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
