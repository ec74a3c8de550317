import { issuePath, type OutputOf, type Schema, type SchemaResult } from '../base/schema.ts'
import type { Setting } from './define-settings.ts'
import { findFlaw } from './plain-data.ts'
import { notSet, type SettingsProblem } from './settings-problem.ts'

/** A value that some source gives for a setting. */
export interface GivenValue {
  readonly value: unknown
  /** Whether it is the text of an environment variable. */
  readonly fromEnvironment: boolean
  /** Where the value, or a part of it, stands. */
  sourceOf(path: readonly string[]): string
}

/** A checked setting: its value, unless there are problems. */
export interface CheckedSetting {
  readonly value?: unknown
  readonly problems: readonly SettingsProblem[]
}

/**
 * Puts the value of a setting, or `undefined` when it is not set, to its schema. The text of a variable is tried as it
 * is and then, where that does not fit, as JSON, so that numbers, switches and lists can be given.
 */
export async function checkSetting(
  setting: Setting,
  given: GivenValue | undefined,
): Promise<CheckedSetting> {
  if (given === undefined) return checkDefault(setting)
  const result = given.fromEnvironment
    ? await validateText(setting.schema, String(given.value))
    : await validate(setting.schema, given.value)
  if (result.issues === undefined) return { value: result.value, problems: [] }
  const problems = result.issues.map((issue) => {
    const path = setting.secret ? setting.path : [...setting.path, ...issuePath(issue)]
    const hidden = setting.secret && quotes(issue.message, given.value)
    const message = hidden ? 'does not fit (its name says that it is secret)' : issue.message
    return { path: path.join('.'), source: given.sourceOf(path), message }
  })
  return { problems }
}

async function checkDefault({ schema, name, variable }: Setting): Promise<CheckedSetting> {
  const result = await validate(schema, undefined)
  if (result.issues === undefined) return { value: result.value, problems: [] }
  const message = `is required; give ${name} in the settings file, or set ${variable}`
  return { problems: [{ path: name, source: notSet, message }] }
}

async function validateText(schema: Schema, text: string): Promise<SchemaResult<unknown>> {
  const asText = await validate(schema, text)
  if (asText.issues === undefined) return asText
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return asText
  }
  const flaw = findFlaw(value)
  if (flaw !== undefined) return { issues: [flaw] }
  const asData = await validate(schema, value)
  return asData.issues !== undefined && wantsText(asData) ? asText : asData
}

/** Whether a schema that refused a number, a switch or a list says that it wants a text instead. */
function wantsText({ issues = [] }: SchemaResult<unknown>): boolean {
  return issues.some((issue) => issuePath(issue).length === 0 && /string|text/i.test(issue.message))
}

async function validate(schema: Schema, value: unknown): Promise<SchemaResult<OutputOf<Schema>>> {
  try {
    return await schema['~standard'].validate(value)
  } catch (error) {
    return { issues: [{ message: `the check itself failed: ${error}` }] }
  }
}

/** Letters in a row that a message and a secret may share; schemas of some libraries quote what they refuse. */
const sharedLetters = 3

function quotes(message: string, secret: unknown): boolean {
  if (typeof secret === 'object' && secret !== null) {
    return Object.values(secret).some((part) => quotes(message, part))
  }
  const haystack = message.toLowerCase()
  const needle = String(secret).toLowerCase()
  const size = Math.min(needle.length, sharedLetters + 1)
  const runs = new Set<string>()
  for (let start = 0; start + size <= haystack.length; start++) {
    runs.add(haystack.slice(start, start + size))
  }
  for (let start = 0; size > 0 && start + size <= needle.length; start++) {
    if (runs.has(needle.slice(start, start + size))) return true
  }
  return false
}
