import { CoveyError } from '../error/covey-error.ts'

/** The source of a setting that no place gives a value for. */
export const notSet = 'not set'

/** One thing that is wrong with the settings. */
export interface SettingsProblem {
  /** The setting: `user.session.ttlDays`. Empty when a file as a whole is meant. */
  readonly path: string
  /** Where its value came from: `config.yaml:12`, a variable's name, `overrides`, or `not set`. */
  readonly source: string
  /** What is wrong, and what to write instead where that is known. */
  readonly message: string
}

/**
 * The error for settings that cannot be used; its message lists every problem on a line of its own.
 * `details.problems` is the same list as data.
 */
export function settingsError(problems: readonly SettingsProblem[]): CoveyError {
  const count =
    problems.length === 1 ? '1 setting is wrong' : `${problems.length} settings are wrong`
  const lines = problems.map(({ path, source, message }) =>
    path === '' ? `  ${source}: ${message}` : `  ${path} (${source}): ${message}`,
  )
  return new CoveyError('INVALID_SETTINGS', [`${count}:`, ...lines].join('\n'), {
    details: { problems },
  })
}
