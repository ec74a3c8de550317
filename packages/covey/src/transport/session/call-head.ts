import type { ByteWriter } from '../../base/byte-writer.ts'
import { type Metadata, noMetadata } from '../../call/metadata.ts'
import { Trace, traceBytes } from '../../call/trace.ts'
import { readTraceState } from '../../call/trace-state.ts'
import { u32At } from '../../codec/frame/frame-decoder.ts'
import { callFlag, type Frame } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Limits } from '../limits.ts'

/** What a call frame says before its input. */
export interface CallHead {
  /** Place in the table of methods that the server sent. */
  readonly method: number
  /** Milliseconds left; `Infinity` when there is no deadline. */
  readonly timeoutMs: number
  readonly trace: Trace | undefined
  readonly metadata: Metadata
  /** Missing where there is none. */
  readonly baggage?: Metadata | undefined
}

const noTimeout = 0xffffffff

/** The entry of metadata in which `trace.state` travels; most calls have none. */
const stateName = 'tracestate'
const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The flags that go with a head. */
export function callFlags(head: CallHead): number {
  let flags = head.trace === undefined ? 0 : callFlag.trace
  if (head.metadata.size > 0 || hasState(head)) flags |= callFlag.metadata
  if (head.baggage !== undefined && head.baggage.size > 0) flags |= callFlag.baggage
  return flags
}

function hasState({ trace }: CallHead): boolean {
  return trace !== undefined && trace.state !== ''
}

/**
 * u16 method, u32 timeout, then if flagged the trace (16 bytes trace id, 8 bytes span id, 1 byte flags as in W3C Trace
 * Context), the metadata and the baggage.
 */
export function writeCallHead(head: CallHead, out: ByteWriter): void {
  out.u16(head.method)
  out.u32(Math.min(noTimeout, Math.max(0, Math.ceil(head.timeoutMs))))
  if (head.trace !== undefined) out.raw(head.trace.bytes)
  if (hasState(head)) writeMetadata(new Map(head.metadata).set(stateName, head.trace!.state), out)
  else if (head.metadata.size > 0) writeMetadata(head.metadata, out)
  if (head.baggage !== undefined && head.baggage.size > 0) writeMetadata(head.baggage, out)
}

/**
 * Reads what `writeCallHead` wrote.
 * @returns the head, and where the input begins
 * @throws CoveyError `PROTOCOL_ERROR`, `MESSAGE_TOO_LARGE` for metadata or baggage over its limit
 */
export function readCallHead(
  frame: Frame,
  limits: Pick<Limits, 'maxMetadataBytes' | 'maxBaggageBytes'>,
): { head: CallHead; bodyStart: number } {
  const { bytes, flags } = frame
  let at = frame.start
  if ((flags & 8) !== 0) {
    throw new CoveyError('PROTOCOL_ERROR', `a call with unknown flags 0x${flags.toString(16)}`)
  }
  requireBytes(frame, at, 6)
  const method = (bytes[at]! << 8) | bytes[at + 1]!
  const timeout = u32At(bytes, at + 2)
  at += 6
  let trace: Trace | undefined
  if (flags & callFlag.trace) {
    requireBytes(frame, at, traceBytes)
    trace = new Trace(bytes.slice(at, at + traceBytes))
    at += traceBytes
  }
  let metadata: Metadata = noMetadata
  if (flags & callFlag.metadata) {
    const end = sizedEnd(frame, at, 'metadata', limits.maxMetadataBytes)
    const entries = readMetadata(bytes, at + 4, end)
    if (trace !== undefined && entries.has(stateName)) trace = takeState(trace, entries)
    metadata = entries.size === 0 ? noMetadata : entries
    at = end
  }
  let baggage = noMetadata
  if (flags & callFlag.baggage) {
    const end = sizedEnd(frame, at, 'baggage', limits.maxBaggageBytes)
    baggage = readMetadata(bytes, at + 4, end)
    at = end
  }
  const timeoutMs = timeout === noTimeout ? Number.POSITIVE_INFINITY : timeout
  return { head: { method, timeoutMs, trace, metadata, baggage }, bodyStart: at }
}

/** Where something ends whose size stands at `at`. */
function sizedEnd(frame: Frame, at: number, what: string, maxBytes: number): number {
  requireBytes(frame, at, 4)
  const size = u32At(frame.bytes, at)
  if (size > maxBytes) {
    throw new CoveyError('MESSAGE_TOO_LARGE', `${what} of ${size} bytes; the limit is ${maxBytes}`)
  }
  requireBytes(frame, at + 4, size)
  return at + 4 + size
}

function requireBytes(frame: Frame, at: number, count: number): void {
  if (at + count > frame.end)
    throw new CoveyError('PROTOCOL_ERROR', 'a call frame that is cut short')
}

/** u32 size, then for each entry: u8 length and name, u16 length and value, in UTF-8. */
function writeMetadata(metadata: Metadata, out: ByteWriter): void {
  const offset = out.size
  out.u32(0)
  for (const [name, value] of metadata) {
    writeSized(name, 1, out)
    writeSized(value, 2, out)
  }
  out.patchU32(offset, out.size - offset - 4)
}

function writeSized(text: string, sizeBytes: 1 | 2, out: ByteWriter): void {
  const offset = out.size
  out.u8(0)
  if (sizeBytes === 2) out.u8(0)
  const size = out.text(text)
  // As UTF-8 it would silently become another text.
  if (size !== text.length && !text.isWellFormed()) {
    throw new CoveyError('UNENCODABLE', 'metadata with half a character (a lone surrogate)')
  }
  if (size >= 2 ** (8 * sizeBytes)) {
    throw new CoveyError('UNENCODABLE', `metadata of ${size} bytes in one name or value`)
  }
  const start = out.position - (out.size - offset)
  if (sizeBytes === 2) out.bytes[start] = size >>> 8
  out.bytes[start + sizeBytes - 1] = size
}

/** The trace with its state, which is no metadata of the call. */
function takeState({ bytes }: Trace, entries: Map<string, string>): Trace {
  const state = readTraceState(entries.get(stateName)!)
  entries.delete(stateName)
  return new Trace(bytes, state)
}

function readMetadata(bytes: Uint8Array, start: number, end: number): Map<string, string> {
  const metadata = new Map<string, string>()
  let at = start
  const sized = (sizeBytes: 1 | 2): string => {
    if (at + sizeBytes > end) throw new CoveyError('PROTOCOL_ERROR', 'metadata that is cut short')
    const size = sizeBytes === 1 ? bytes[at]! : (bytes[at]! << 8) | bytes[at + 1]!
    const from = at + sizeBytes
    at = from + size
    if (at > end) throw new CoveyError('PROTOCOL_ERROR', 'metadata that is cut short')
    return utf8(bytes.subarray(from, at))
  }
  while (at < end) {
    const name = sized(1)
    metadata.set(name, sized(2))
  }
  return metadata
}

function utf8(bytes: Uint8Array): string {
  try {
    return strictText.decode(bytes)
  } catch (cause) {
    throw new CoveyError('PROTOCOL_ERROR', 'text that is not UTF-8', { cause })
  }
}
