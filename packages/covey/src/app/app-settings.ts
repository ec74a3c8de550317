import type { SettingsDefinition } from '../settings/define-settings.ts'
import { type FrameworkSettings, frameworkSettings } from '../settings/framework-settings.ts'
import { type LoadSettingsOptions, loadSettings } from '../settings/load-settings.ts'
import type { AppOptions } from './app.ts'

/** Settings of the framework and of the application itself. */
export interface AppSettings {
  readonly framework: FrameworkSettings
  readonly own: unknown
}

/** Loads both. @throws CoveyError `INVALID_SETTINGS` that lists everything wrong */
export async function loadAppSettings({
  settings,
  overrides = {},
  knownSections = [],
}: AppOptions): Promise<AppSettings> {
  const definitions: SettingsDefinition[] = [frameworkSettings]
  if (settings !== undefined) definitions.push(settings)
  const loaded: Readonly<Record<string, unknown>> = await loadSettings(definitions, {
    overrides: overrides as LoadSettingsOptions<SettingsDefinition[]>['overrides'] & object,
    knownSections,
  })
  return {
    framework: loaded.covey as FrameworkSettings,
    own: settings === undefined ? {} : loaded[settings.section],
  }
}
