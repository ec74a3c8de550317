import type { AppContext, Resource } from './app-context.ts'

/**
 * Declares a resource: a database, a listener, a background task. An application starts its resources in the
 * order of its list and stops them in the opposite one.
 *
 * @example
 * const database = defineResource('database', {
 *   start: ({ settings }) => openDatabase(settings.path),
 *   stop: (db) => db.close(),
 * })
 */
// biome-ignore lint/suspicious/noExplicitAny: what the settings are is known where the app is made
export function defineResource<T, S = any>(
  name: string,
  life: {
    start: (context: AppContext<S>) => T | Promise<T>
    stop?: (value: T) => void | Promise<void>
  },
): Resource<T> {
  return Object.freeze({
    name,
    start: life.start as Resource<T>['start'],
    stop: life.stop ?? (() => {}),
  })
}
