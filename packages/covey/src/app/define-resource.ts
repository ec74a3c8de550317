import type { AppContext } from './app-context.ts'

/** Something that an application opens at its start and closes at its end. */
export interface Resource<T = unknown> {
  readonly name: string
  /** Opens it. What is thrown here stops the start of the application. */
  readonly start: (context: AppContext) => T | Promise<T>
  /** Closes it. */
  readonly stop: (value: T) => void | Promise<void>
}

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
export function defineResource<T, S = any>(
  // any: what the settings are is known where the app is made
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
