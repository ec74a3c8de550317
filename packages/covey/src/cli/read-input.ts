import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { parseJson } from '../codec/json-codec.ts'
import { CoveyError } from '../error/covey-error.ts'
import { refuseInexactNumbers } from '../transport/http/inexact-numbers.ts'

/**
 * The input of a call: JSON as it was typed, `@file`, or `-` for standard input.
 * @throws CoveyError `INVALID_INPUT` saying what is wrong with it
 */
export async function readInput(argument: string | undefined): Promise<unknown> {
  if (argument === undefined) return undefined
  return parse(await textOf(argument), argument)
}

/**
 * The elements of a stream: a JSON list as it was typed or in `@file`, or with `-` one JSON value a line from standard input, as
 * they come.
 */
export async function* readElements(argument: string | undefined): AsyncGenerator<unknown> {
  if (argument !== undefined && argument !== '-') {
    const value = await readInput(argument)
    if (!Array.isArray(value)) {
      throw new CoveyError(
        'INVALID_INPUT',
        'the method takes a stream: give a list, or "-" and lines',
      )
    }
    return yield* value
  }
  if (process.stdin.isTTY) {
    process.stderr.write('one JSON value a line; Ctrl-D ends the stream\n')
  }
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() !== '') yield parse(line, line)
  }
}

async function textOf(argument: string): Promise<string> {
  if (argument === '-') return Buffer.concat(await process.stdin.toArray()).toString('utf8')
  if (!argument.startsWith('@')) return argument
  try {
    return await readFile(argument.slice(1), 'utf8')
  } catch (cause) {
    throw new CoveyError('INVALID_INPUT', `the input: ${(cause as Error).message}`, { cause })
  }
}

function parse(text: string, shown: string): unknown {
  let value: unknown
  try {
    value = parseJson(text)
  } catch (cause) {
    const start = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown
    const why = (cause as Error).message
    const hint = 'in a shell put it between single quotes: \'{"id":"7"}\''
    throw new CoveyError('INVALID_INPUT', `the input ${start} is no JSON (${why}); ${hint}`)
  }
  refuseInexactNumbers(Buffer.from(text))
  return value
}
