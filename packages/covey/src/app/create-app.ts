import type { SettingsDefinition } from '../settings/define-settings.ts'
import type { App, AppOptions } from './app.ts'
import { AppLife } from './app-life.ts'

/**
 * Binds services and resources to a process.
 *
 * @example
 * await createApp({ name: 'users', services: [usersService] }).start()
 */
export function createApp<D extends SettingsDefinition = SettingsDefinition>(
  options: AppOptions<D>,
): App {
  return new AppLife(options as unknown as AppOptions)
}
