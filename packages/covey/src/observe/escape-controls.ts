/** Control characters, line separators and the marks that turn the direction of writing; not the tab. */
const dangerous = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/**
 * Makes a text harmless for terminals and readers: what could move the cursor, change colours, start a
 * new line or turn the order of letters is shown as `\x1b` or `\u202e`.
 */
export function escapeControls(text: string): string {
  return text.replace(dangerous, (character) => {
    if (character === '\t') return character
    const code = character.charCodeAt(0)
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`
  })
}
