/** What can be measured, in the order of the report. */
export const scenarioNames = [
  'unary',
  'serverStream',
  'bulk',
  'idleConnections',
  'startup',
  'middleware',
  'overload',
] as const

export type ScenarioName = (typeof scenarioNames)[number]

/** Turns text from a command line into a name. Throws with the list of names when there is none such. */
export function scenarioName(text: string): ScenarioName {
  const name = scenarioNames.find((candidate) => candidate === text)
  if (!name) throw new Error(`no scenario '${text}'; there are: ${scenarioNames.join(', ')}`)
  return name
}
