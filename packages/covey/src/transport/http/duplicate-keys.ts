import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  openBrace,
  openBracket,
  quote,
} from '../../codec/json-marks.ts'
import { CoveyError } from '../../error/covey-error.ts'

/**
 * Refuses JSON in which a key stands twice in one object. Which of the two counts is left open by RFC 8259, so a
 * proxy that checks and a service that acts could see different messages.
 * @param json bytes that a JSON parser has accepted
 * @throws CoveyError `INVALID_INPUT` naming the key
 */
export function refuseDuplicateKeys(json: Uint8Array): void {
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength)
  /** For each level the keys of its object so far; undefined for a list. */
  const levels: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]
    if (byte === quote) {
      const end = endOfString(text, at)
      const keys = levels.at(-1)
      if (keys !== undefined && isKey(text, end + 1))
        addKey(keys, text.toString('utf8', at, end + 1))
      at = end
    } else if (byte === openBrace) levels.push(new Set())
    else if (byte === openBracket) levels.push(undefined)
    else if (byte === closeBrace || byte === closeBracket) levels.pop()
  }
}

function addKey(keys: Set<string>, literal: string): void {
  const key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1)
  if (keys.has(key)) {
    throw new CoveyError(
      'INVALID_INPUT',
      `malformed JSON: the key ${JSON.stringify(key)} stands twice`,
    )
  }
  keys.add(key)
}

function endOfString(text: Uint8Array, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1
  return at
}

/** Whether a colon follows; between it and a key there is only white space. */
function isKey(text: Uint8Array, from: number): boolean {
  let at = from
  while (at < text.length && text[at]! <= 0x20) at += 1
  return text[at] === colon
}
