import type { Schema, SchemaResult } from '../base/schema.ts'
import type { Middleware } from '../call/handler.ts'
import type { BoundMethod } from '../contract/method.ts'
import { schemaError } from '../contract/schema.ts'
import { CoveyError } from '../error/covey-error.ts'

/**
 * Input is checked before the handler sees it, and output before it leaves, so that no field goes out which
 * the contract does not name.
 * Errors: `INVALID_INPUT` to the caller; `INVALID_OUTPUT` is the handler's fault.
 */
export function validation(method: BoundMethod): Middleware {
  return (next) => async (call) => {
    call.input = await check(method.input, call.input, 'INVALID_INPUT', `${method.path} input`)
    const result = await next(call)
    const subject = `${method.path} output`
    if (method.kind === 'unary' || method.kind === 'clientStream') {
      return check(method.output, result, 'INVALID_OUTPUT', subject)
    }
    return checkEach(method.output, result as AsyncIterable<unknown>, subject)
  }
}

async function* checkEach(
  schema: Schema,
  stream: AsyncIterable<unknown>,
  subject: string,
): AsyncGenerator<unknown> {
  for await (const item of stream) yield check(schema, item, 'INVALID_OUTPUT', subject)
}

/** Most schemas answer at once; only then is no promise made. */
function check(
  schema: Schema,
  value: unknown,
  code: 'INVALID_INPUT' | 'INVALID_OUTPUT',
  subject: string,
): unknown {
  const result = validate(schema, value, code, subject)
  if (result instanceof Promise) {
    return result.then(
      (late) => outcome(late, code, subject),
      (cause) => {
        throw failed(cause, code, subject)
      },
    )
  }
  return outcome(result, code, subject)
}

/** A schema that throws is treated as one that refuses. */
function validate(
  schema: Schema,
  value: unknown,
  code: 'INVALID_INPUT' | 'INVALID_OUTPUT',
  subject: string,
): SchemaResult<unknown> | Promise<SchemaResult<unknown>> {
  try {
    return schema['~standard'].validate(value)
  } catch (cause) {
    throw failed(cause, code, subject)
  }
}

function failed(cause: unknown, code: 'INVALID_INPUT' | 'INVALID_OUTPUT', subject: string) {
  return new CoveyError(code, `${subject}: the schema itself failed`, { cause })
}

function outcome(
  result: SchemaResult<unknown>,
  code: 'INVALID_INPUT' | 'INVALID_OUTPUT',
  subject: string,
): unknown {
  if (result.issues === undefined) return result.value
  throw schemaError(code, subject, result.issues)
}
