import type { ByteWriter } from '../../base/byte-writer.ts'
import { shapeLimits, shapeMark, textMark } from './shape-limits.ts'
import { utf8Bytes } from './write-text.ts'

const { textPlaces, maxTextBytes } = shapeLimits

/** Naming a place takes two bytes. */
const minLength = 3

/** What is known of a place: how many texts in a row were other ones than those before, or that the peer has the text. */
const givenUp = 4
const held = 255

/**
 * Texts of the row before while a list is written. A text that is the same as the one at its place there, first, second, and
 * so on of the row, is told once more together with the place, and named by the place from then on. Distinct
 * texts cost next to nothing: a place where they differ again and again is not looked at any more.
 */
export class RowTexts {
  /** Which text of its row comes next. */
  next = 0
  /** How often a text was the one of the row before. */
  hits = 0
  readonly #last: string[] = []
  readonly #known = new Uint8Array(textPlaces)

  constructor() {
    for (let place = 0; place < textPlaces; place++) this.#last.push('')
  }

  /** Names the place of the next text. False if the text itself has to be written now. */
  write(text: string, out: ByteWriter): boolean {
    const place = this.next++
    if (place >= textPlaces || text.length > maxTextBytes) return false
    const known = this.#known[place]!
    if (known === givenUp) return false
    if (this.#last[place] !== text) {
      this.#last[place] = text
      this.#known[place] = known === held ? 1 : known + 1
      return false
    }
    if (known === held) {
      out.u16((shapeMark << 8) | textMark.again | place)
      return true
    }
    if (text.length < minLength || utf8Bytes(text) > maxTextBytes) return false
    this.hits += 1
    this.#known[place] = held
    out.u16((shapeMark << 8) | textMark.put | place)
    return false
  }

  /** Forgets all, so that no texts are kept alive. */
  clear(): void {
    for (let place = 0; place < textPlaces; place++) this.#last[place] = ''
    this.#known.fill(0)
    this.next = 0
    this.hits = 0
  }
}

/** Writing takes no pause, so that one is enough but for a `toJSON` that writes to another connection. */
let spare: RowTexts | undefined

/** Remembers nothing yet. */
export function lendRowTexts(): RowTexts {
  const texts = spare ?? new RowTexts()
  spare = undefined
  return texts
}

export function takeBackRowTexts(texts: RowTexts): void {
  texts.clear()
  spare = texts
}
