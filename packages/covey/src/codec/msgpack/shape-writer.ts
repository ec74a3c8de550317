import type { ByteWriter } from '../../base/byte-writer.ts'
import { changed, countElements, encodeMsgpack, type ObjectWriter, writeValue } from './encode.ts'
import { lendRowTexts, type RowTexts, takeBackRowTexts } from './row-texts.ts'
import { shapeLimits, shapeMark } from './shape-limits.ts'
import { writeNumber } from './write-number.ts'
import { writeString } from './write-text.ts'

/** Objects with the same keys in the same order. */
interface Shape {
  readonly keys: readonly string[]
  /** Set once the peer has been told. */
  number: number | undefined
  /** The shape that came behind this one the last time: a good guess for the next time. */
  next: Shape | undefined
}

/** A place in the tree of keys; the way to it spells a list of keys. Most have one way on, so that is not kept in a map. */
class Branch {
  seen = 0
  shape: Shape | undefined
  #key: string | undefined
  #branch: Branch | undefined
  #more: Map<string, Branch> | undefined

  get(key: string): Branch | undefined {
    return key === this.#key ? this.#branch : this.#more?.get(key)
  }

  add(key: string): Branch {
    const branch = new Branch()
    if (this.#key === undefined) {
      this.#key = key
      this.#branch = branch
    } else {
      this.#more ??= new Map()
      this.#more.set(key, branch)
    }
    return branch
  }
}

/** Objects of a shape that are written as plain maps before it is announced: what is rare is not worth it. */
const announceAt = 4

/** Places in the tree; when it is full, those that led to no announcement are forgotten. */
const maxBranches = 4_096

/** A peer may take frames of no more than 1,024 bytes, of which the head and a seal take some. */
const maxAnnouncementBytes = 900

/** How often that may happen: objects that are used as dictionaries have no shapes to find. */
const maxPrunings = 8

/** Lists of one message in which nothing came again; then no more are looked at. */
const maxVainLists = 4

/** Tells the peer of a shape. @returns false if that was not possible, which ends the use of new shapes */
export type Announce = (number: number, keys: readonly string[]) => boolean

/**
 * Finds out which shapes objects have, announces those that come again, and writes objects of announced ones without keys; and
 * texts of lists that are the same as in the row before by the number of their place.
 */
export class ShapeWriter implements ObjectWriter {
  texts: RowTexts | undefined
  readonly #announce: Announce
  readonly #start: Shape = { keys: [], number: undefined, next: undefined }
  #last = this.#start
  #root = new Branch()
  #branches = 0
  #prunings = 0
  #announced: Shape[] = []
  #wanted: Branch[] = []
  #learning = true
  #vainLists = 0

  constructor(announce: Announce) {
    this.#announce = announce
  }

  /** Writes a whole message. @throws CoveyError `UNENCODABLE` */
  encode(value: unknown, out: ByteWriter): void {
    // Guesses start from the beginning again; and `texts` are there if a `toJSON` in another message sends this one.
    this.#last = this.#start
    this.#vainLists = 0
    const { texts } = this
    this.texts = undefined
    try {
      encodeMsgpack(value, out, this)
    } finally {
      this.stopTexts()
      this.texts = texts
    }
  }

  startTexts(): RowTexts | undefined {
    if (this.#vainLists < maxVainLists) this.texts = lendRowTexts()
    return this.texts
  }

  stopTexts(): void {
    const { texts } = this
    if (texts === undefined) return
    if (texts.hits === 0) this.#vainLists += 1
    takeBackRowTexts(texts)
    this.texts = undefined
  }

  /** Writes the object if its shape is announced. Nothing is written otherwise. */
  write(value: Readonly<Record<string, unknown>>, out: ByteWriter, depth: number): boolean {
    const last = this.#last
    const guess = last.next
    if (guess !== undefined && fits(value, guess.keys)) {
      this.#fill(value, guess, out, depth)
      return true
    }
    const shape = this.#find(value)
    if (shape === undefined) return false
    last.next = shape
    this.#fill(value, shape, out, depth)
    return true
  }

  #fill(
    value: Readonly<Record<string, unknown>>,
    shape: Shape,
    out: ByteWriter,
    depth: number,
  ): void {
    const { keys, number } = shape
    this.#last = shape
    countElements(keys.length, value)
    if (number! < 128) out.u16((shapeMark << 8) | number!)
    else {
      out.u8(shapeMark)
      out.u16(0x8000 + number!)
    }
    let count = 0
    for (const key in value) {
      const item = value[key]
      // A getter or a `toJSON` may have changed it since it was looked at.
      if (item === undefined || key !== keys[count]) throw changed(value)
      count += 1
      // The two most frequent types are not sent through the switch of all of them.
      if (typeof item === 'number') writeNumber(item, out)
      else if (typeof item === 'string') {
        if (this.texts === undefined || !this.texts.write(item, out)) writeString(item, out)
      } else writeValue(item, out, depth + 1, this)
    }
    if (count !== keys.length) throw changed(value)
  }

  #find(value: Readonly<Record<string, unknown>>): Shape | undefined {
    let branch = this.#root
    const keys = Object.keys(value)
    if (keys.length === 0 || keys.length > shapeLimits.maxKeys) return undefined
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!
      if (value[key] === undefined) return undefined
      const next = branch.get(key) ?? this.#grow(branch, key)
      if (next === undefined) return undefined
      branch = next
    }
    if (branch.shape?.number !== undefined && fits(value, keys)) return branch.shape
    if (branch.shape === undefined && this.#learning) this.#count(branch, keys)
    return undefined
  }

  #grow(branch: Branch, key: string): Branch | undefined {
    if (!this.#learning) return undefined
    if (this.#branches >= maxBranches) {
      this.#prune()
      return undefined
    }
    this.#branches += 1
    return branch.add(key)
  }

  #count(branch: Branch, keys: readonly string[]): void {
    branch.seen += 1
    if (branch.seen < announceAt) return
    branch.shape = { keys, number: undefined, next: undefined }
    if (!announceable(keys)) return
    this.#wanted.push(branch)
    // Not now: a frame is being written, and the announcement is one of its own, before it is used.
    if (this.#wanted.length === 1) queueMicrotask(() => this.#announceWanted())
  }

  #announceWanted(): void {
    for (const { shape } of this.#wanted.splice(0)) {
      const number = this.#announced.length
      if (number >= shapeLimits.maxShapes || !this.#learning) this.#learning = false
      else if (this.#announce(number, shape!.keys)) {
        shape!.number = number
        this.#announced.push(shape!)
      } else this.#learning = false
    }
  }

  #prune(): void {
    this.#prunings += 1
    if (this.#prunings > maxPrunings) this.#learning = false
    this.#root = new Branch()
    this.#branches = 0
    for (const shape of this.#announced) {
      let branch = this.#root
      for (const key of shape.keys) branch = branch.get(key) ?? branch.add(key)
      branch.shape = shape
    }
  }
}

/** Whether the object has exactly these keys, in this order, each with a value. */
function fits(value: Readonly<Record<string, unknown>>, keys: readonly string[]): boolean {
  let count = 0
  for (const key in value) {
    if (key !== keys[count] || value[key] === undefined) return false
    count += 1
  }
  return count === keys.length
}

/** Whether any peer would take it: text that survives as UTF-8, in a frame that is not too large even for the smallest limit. */
function announceable(keys: readonly string[]): boolean {
  let size = 8
  for (const key of keys) {
    if (key === '__proto__' || !key.isWellFormed()) return false
    size += 5 + key.length * 3
  }
  return size <= maxAnnouncementBytes
}
