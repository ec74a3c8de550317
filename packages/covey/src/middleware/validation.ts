import type { Schema, SchemaResult } from '../base/schema.ts'
import type { Middleware } from '../call/handler.ts'
import { givesStream, takesStream } from '../call/method-ref.ts'
import { type FastCheck, fastCheck } from '../contract/fast-check.ts'
import type { BoundMethod } from '../contract/method.ts'
import { schemaError } from '../contract/schema.ts'
import { CoveyError } from '../error/covey-error.ts'

/**
 * Input is checked before the handler sees it, and output before it leaves, so that no field goes out which
 * the contract does not name; of a stream each element, when the handler or the transport asks for it.
 * Errors: `INVALID_INPUT` to the caller; `INVALID_OUTPUT` is the handler's fault.
 */
export function validation(method: BoundMethod): Middleware {
  const one = checker(method.input, 'INVALID_INPUT', `${method.path} input`)
  const checkInput = takesStream(method.kind) ? each(one) : one
  const checkOutput = checker(method.output, 'INVALID_OUTPUT', `${method.path} output`)
  const oneOutput = !givesStream(method.kind)
  return (next) => async (call) => {
    const input = checkInput(call.input)
    call.input = input instanceof Promise ? await input : input
    const result = await next(call)
    return oneOutput ? checkOutput(result) : checkEach(checkOutput, result)
  }
}

type Check = (value: unknown) => unknown

function each(check: Check): Check {
  return (stream) => checkEach(check, stream)
}

async function* checkEach(check: Check, stream: unknown): AsyncGenerator<unknown> {
  for await (const item of stream as AsyncIterable<unknown>) yield check(item)
}

/**
 * A value that a compiled check knows to be right goes on as it is; any other one is the schema's, which copies it or says
 * what is wrong. Compiled at the first value: a schema may refer to others that are defined after it.
 */
function checker(schema: Schema, code: 'INVALID_INPUT' | 'INVALID_OUTPUT', subject: string): Check {
  let fits: FastCheck | undefined
  let compiled = false
  return (value) => {
    if (!compiled) {
      compiled = true
      fits = fastCheck(schema)
    }
    return fits?.(value) ? value : checkWhole(schema, value, code, subject)
  }
}

/** Most schemas answer at once; only then is no promise made. */
function checkWhole(
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
