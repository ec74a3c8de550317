import type { SettingsDefinition, SettingsOf } from 'covey'

/** The settings of a section when nobody sets anything. */
export function defaultsOf<D extends SettingsDefinition>(definition: D): SettingsOf<D> {
  const values: Record<string, unknown> = {}
  for (const { path, schema, name } of definition.settings) {
    const result = schema['~standard'].validate(undefined)
    if (result instanceof Promise || result.issues !== undefined) {
      throw new Error(`setting ${name} has no default`)
    }
    let group = values
    for (const key of path.slice(1, -1)) {
      group[key] ??= {}
      group = group[key] as Record<string, unknown>
    }
    group[path.at(-1)!] = result.value
  }
  return values as SettingsOf<D>
}
