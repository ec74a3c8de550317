import type { ByteWriter } from '../../base/byte-writer.ts'

const float = new DataView(new ArrayBuffer(8))
const floatBytes = new Uint8Array(float.buffer)

/** Writes a number in the shortest form that keeps it. */
export function writeNumber(value: number, out: ByteWriter): void {
  if (Number.isInteger(value) && !Object.is(value, -0)) {
    if (value >= 0) return writeUnsigned(value, out)
    if (value >= -0x80000000) return writeNegative(value, out)
  }
  writeFloat(value, out)
}

function writeUnsigned(value: number, out: ByteWriter): void {
  if (value <= 0x7f) return out.u8(value)
  if (value <= 0xff) {
    out.u8(0xcc)
    return out.u8(value)
  }
  if (value <= 0xffff) {
    out.u8(0xcd)
    return out.u16(value)
  }
  if (value <= 0xffffffff) {
    out.u8(0xce)
    return out.u32(value)
  }
  if (!Number.isSafeInteger(value)) return writeFloat(value, out)
  out.u8(0xcf)
  out.u32(Math.floor(value / 0x100000000))
  out.u32(value >>> 0)
}

function writeNegative(value: number, out: ByteWriter): void {
  if (value >= -0x20) return out.u8(value & 0xff)
  if (value >= -0x80) {
    out.u8(0xd0)
    return out.u8(value & 0xff)
  }
  if (value >= -0x8000) {
    out.u8(0xd1)
    return out.u16(value & 0xffff)
  }
  out.u8(0xd2)
  out.u32(value >>> 0)
}

function writeFloat(value: number, out: ByteWriter): void {
  float.setFloat64(0, value)
  out.ensure(9)
  const { bytes, position } = out
  bytes[position] = 0xcb
  // For eight bytes a loop beats `set` by far.
  for (let index = 0; index < 8; index++) bytes[position + 1 + index] = floatBytes[index]!
  out.position = position + 9
}
