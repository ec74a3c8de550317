import { CoveyError } from '../error/covey-error.ts'
import { type Codec, codecLimits } from './codec.ts'
import { backslash, closeBrace, closeBracket, openBrace, openBracket, quote } from './json-marks.ts'
import {
  invalidDate,
  lossy,
  lossyKind,
  protoKey,
  toldWhere,
  Unencodable,
  unsendable,
} from './unencodable.ts'

const strictText = new TextDecoder('utf-8', { fatal: true })

/**
 * JSON, for peers and people that read nothing else. What JSON has no form for is written, and not read back: dates as
 * ISO 8601 text, bytes as base64, big integers as digits, sets as lists, maps as lists of `[key, value]`.
 */
export const jsonCodec: Codec = {
  name: 'json',
  encode(value, out) {
    out.text(toJson(value))
  },
  decode(bytes, start, end) {
    if (start === end) return undefined
    return parseJson(textOf(bytes, start, end))
  },
}

function toJson(value: unknown): string {
  const around: object[] = []
  function plain(this: Record<string, unknown>, key: string, item: unknown): unknown {
    if (key === '__proto__' && item !== undefined) throw protoKey(this)
    const form = plainForm(item, this[key])
    if (typeof form === 'object' && form !== null) enter(form, this, around)
    return form
  }
  try {
    return JSON.stringify(value, plain) ?? 'null'
  } catch (cause) {
    if (cause instanceof Unencodable) throw toldWhere(cause, value)
    if (cause instanceof CoveyError) throw cause
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new CoveyError('UNENCODABLE', `not JSON: ${reason}`, { cause })
  }
}

/** @param around the containers around the one that was looked at last; `JSON.stringify` goes into each before its next sister */
function enter(container: object, holder: object, around: object[]): void {
  while (around.length > 0 && around[around.length - 1] !== holder) around.pop()
  if (around.length === codecLimits.maxDepth) {
    throw new Unencodable(container, `nested deeper than ${codecLimits.maxDepth}`)
  }
  around.push(container)
}

/** What `JSON.stringify` would lose or refuse, as JSON. @param source the value as it was before its `toJSON` */
function plainForm(value: unknown, source: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      return String(value)
    case 'function':
    case 'symbol':
      throw unsendable(value)
    case 'object':
      return plainObject(value, source)
    default:
      return value
  }
}

function plainObject(value: object | null, source: unknown): unknown {
  if (source instanceof Uint8Array) return base64(source)
  if (source instanceof Map || source instanceof Set) return [...source]
  if (value === null) {
    if (source instanceof Date) throw invalidDate(source)
    return null
  }
  const kind = Array.isArray(value) ? undefined : lossyKind(value)
  if (kind !== undefined) throw lossy(value, kind)
  return value
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  }
  return btoa(binary)
}

/**
 * Reads JSON from a stranger: bounded nesting, no key `__proto__`.
 * @throws CoveyError `PROTOCOL_ERROR`
 */
export function parseJson(text: string): unknown {
  checkDepth(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new CoveyError('PROTOCOL_ERROR', `malformed JSON: ${(cause as Error).message}`, { cause })
  }
  if (text.includes('__proto__') || text.includes('\\u')) refuseProto(value)
  return value
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  try {
    return strictText.decode(bytes.subarray(start, end))
  } catch (cause) {
    throw new CoveyError('PROTOCOL_ERROR', 'malformed JSON: not UTF-8', { cause })
  }
}

/**
 * Refuses JSON that is nested too deeply: V8's parser has no limit of its own, and a deep value breaks whatever walks it by recursion.
 * @throws CoveyError `PROTOCOL_ERROR`
 */
export function checkDepth(text: string): void {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === quote) index = endOfString(text, index)
    else if (code === openBrace || code === openBracket) {
      depth += 1
      if (depth > codecLimits.maxDepth) {
        throw new CoveyError(
          'PROTOCOL_ERROR',
          `malformed JSON: nested deeper than ${codecLimits.maxDepth}`,
        )
      }
    } else if (code === closeBrace || code === closeBracket) depth -= 1
  }
}

function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === backslash) index += 1
    else if (code === quote) return index
  }
  return text.length
}

function refuseProto(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (Object.hasOwn(value, '__proto__')) {
    throw new CoveyError('PROTOCOL_ERROR', 'malformed JSON: a key "__proto__"')
  }
  for (const item of Object.values(value)) refuseProto(item)
}
