import { CoveyError } from '../error/covey-error.ts'
import { type Codec, codecLimits } from './codec.ts'

const strictText = new TextDecoder('utf-8', { fatal: true })

/** JSON, for peers and people that read nothing else. Dates become text, as in JSON everywhere. */
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
  try {
    return JSON.stringify(value) ?? 'null'
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new CoveyError('UNENCODABLE', `not JSON: ${reason}`, { cause })
  }
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

/** V8's parser has no limit of its own, and a deep value breaks whatever walks it by recursion. */
function checkDepth(text: string): void {
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

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

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
