/** The Castagnoli polynomial, reflected. Source: RFC 3720, appendix B.4. */
const polynomial = 0x82f63b78

/** Eight tables of 256 behind one another: table n is table 0 moved on by n zero bytes. Made at the first use. */
let tables: Int32Array | undefined

/**
 * CRC-32C of `bytes` from `start` to `end`, as an unsigned number. It tells of accidents, not of intent.
 * Source: "slicing by 8", Kounavis and Berry, 2005: eight bytes a step.
 * @param before the sum of what comes before these bytes
 */
export function crc32c(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  before = 0,
): number {
  tables ??= makeTables()
  const t = tables
  let crc = ~before
  let at = start
  for (const last = end - 8; at <= last; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      t[1792 + (crc & 0xff)]! ^
      t[1536 + ((crc >>> 8) & 0xff)]! ^
      t[1280 + ((crc >>> 16) & 0xff)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + bytes[at + 4]!]! ^
      t[512 + bytes[at + 5]!]! ^
      t[256 + bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!
  }
  for (; at < end; at++) crc = t[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    made[byte] = crc
  }
  for (let at = 256; at < made.length; at++) {
    const shorter = made[at - 256]!
    made[at] = made[shorter & 0xff]! ^ (shorter >>> 8)
  }
  return made
}
