import { backslash, quote } from '../../codec/json-marks.ts'
import { CoveyError } from '../../error/covey-error.ts'

/** An integer of fewer digits is always read exactly: 2^53 has 16. */
const inexactFrom = 16

/** The largest number has 309 digits. */
const maxDigits = 309

/**
 * Refuses integers that a number of JavaScript cannot hold, which the parser would round in silence: two ids would become one. Those are let
 * be that are written again as they came, as other senders of floating-point numbers write them.
 * @param json bytes that a JSON parser has accepted
 * @throws CoveyError `INVALID_INPUT` naming the number
 */
export function refuseInexactNumbers(json: Uint8Array): void {
  if (!hasLongDigits(json)) return
  for (let at = 0; at < json.length; at++) {
    if (json[at] === quote) at = endOfString(json, at)
    else if (isDigit(json[at])) at = checkNumber(json, at)
  }
}

/** Whether there may be so many digits in a row: then each byte of that distance is looked at, and one of them is in their midst. */
function hasLongDigits(json: Uint8Array): boolean {
  for (let at = inexactFrom - 1; at < json.length; at += inexactFrom) {
    if (!isDigit(json[at])) continue
    let [start, end] = [at, at]
    while (isDigit(json[start - 1]) && at - start < inexactFrom) start -= 1
    while (isDigit(json[end + 1]) && end - at < inexactFrom) end += 1
    if (end - start + 1 >= inexactFrom) return true
  }
  return false
}

/** @returns where the number ends that starts there */
function checkNumber(json: Uint8Array, start: number): number {
  let end = start
  while (isDigit(json[end])) end += 1
  const next = String.fromCharCode(json[end] ?? 0)
  // A fraction or an exponent says that no integer was meant; its digits are no integer either.
  if ('.eE'.includes(next)) {
    while (isDigit(json[end]) || '.eE+-'.includes(String.fromCharCode(json[end] ?? 0))) end += 1
  } else if (end - start >= inexactFrom) {
    const digits = String.fromCharCode(
      ...json.subarray(start, Math.min(end, start + maxDigits + 1)),
    )
    if (!isExact(digits)) throw inexact(digits)
  }
  return end - 1
}

function isExact(digits: string): boolean {
  if (digits.length > maxDigits) return false
  const number = Number(digits)
  if (number === Number.POSITIVE_INFINITY) return false
  return String(number) === digits || BigInt(number) === BigInt(digits)
}

function inexact(digits: string): CoveyError {
  const shown = digits.length > 40 ? `${digits.slice(0, 40)}…` : digits
  const message = `the number ${shown} cannot be read exactly; send it as text, or as a big integer in MessagePack`
  return new CoveyError('INVALID_INPUT', message)
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

function endOfString(text: Uint8Array, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1
  return at
}
