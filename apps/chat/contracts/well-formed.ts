/**
 * Whether text can be written as UTF-8 and read back the same. A lone surrogate (half of a character
 * outside the basic plane) cannot: it would turn into U+FFFD on its way.
 */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed()
}

/** What to tell somebody whose text is not. */
export const notWellFormed = 'must be whole Unicode text: it has a lone surrogate'
