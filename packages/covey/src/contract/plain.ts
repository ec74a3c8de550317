import type { Schema } from '../base/schema.ts'

/**
 * A schema that takes every value and only gives it a type. For contracts of the framework itself, which
 * must not depend on a schema library, between processes that trust each other.
 */
export function plain<T>(): Schema<T> {
  return {
    '~standard': { version: 1, vendor: 'covey', validate: (value) => ({ value: value as T }) },
  }
}
