/**
 * A value as JSON that people and programs read. What JSON does not have becomes text: bytes in base64, dates in ISO 8601,
 * big integers as digits; maps become lists of pairs and sets lists.
 * @param indent blanks for each level; 0 for one line
 */
export function valueText(value: unknown, indent = 0): string {
  return JSON.stringify(value, asJson, indent) ?? ''
}

function asJson(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Map) return [...value]
  if (value instanceof Set) return [...value]
  return value
}
