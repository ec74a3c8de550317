import type { Schema } from '../base/schema.ts'
import type { JsonSchema } from './describe-contract.ts'

/**
 * A schema that takes every value and only gives it a type. For contracts of the framework itself, which
 * must not depend on a schema library, between processes that trust each other.
 * @param said what the type is, for those who ask (`covey describe`). Default: anything
 */
export function plain<T>(said: JsonSchema = {}): Schema<T> {
  const say = () => ({ ...said })
  return {
    '~standard': {
      version: 1,
      vendor: 'covey',
      validate: (value) => ({ value: value as T }),
      jsonSchema: { input: say, output: say },
    },
  }
}
