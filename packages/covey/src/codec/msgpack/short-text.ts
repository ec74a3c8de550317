import { codeFromText } from '../../base/code-from-text.ts'

/** Up to here text made of its character codes is faster than a call into the platform's decoder (measured on Node 26). */
export const shortTextBytes = 40

/** The text of as many bytes as it was made for, if they are all ASCII. */
type TextOf = (bytes: Uint8Array, from: number) => string | undefined

/** By size. Made when the first text of that size comes: few sizes are used by most programs. */
const made: (TextOf | undefined)[] = []
for (let size = 0; size <= shortTextBytes; size++) made.push(undefined)

/**
 * The text of `size` bytes, at most `shortTextBytes`, if they are all ASCII, otherwise undefined. Made in one go: what is put
 * together of parts is, from 13 characters on, a pair of them for V8, to be joined when it is read, which doubles the price.
 */
export function shortText(bytes: Uint8Array, from: number, size: number): string | undefined {
  const textOf = made[size] ?? make(size)
  return textOf(bytes, from)
}

function make(size: number): TextOf {
  const textOf = size === 0 ? () => '' : (compiled(size) ?? looping(size))
  made[size] = textOf
  return textOf
}

/** Code without a loop, a third faster. Undefined where code may not be made from text. */
function compiled(size: number): TextOf | undefined {
  const codes = Array.from({ length: size }, (_, index) => `c${index}`)
  const reads = codes.map((code, index) => `const ${code} = b[i + ${index}]`)
  return codeFromText<TextOf>(
    ['b', 'i'],
    `${reads.join('\n')}
    return (${codes.join(' | ')}) > 0x7f ? undefined : String.fromCharCode(${codes.join(', ')})`,
  )
}

function looping(size: number): TextOf {
  const codes: number[] = []
  for (let index = 0; index < size; index++) codes.push(0)
  return (bytes, from) => {
    let all = 0
    for (let index = 0; index < size; index++) {
      const code = bytes[from + index]!
      all |= code
      codes[index] = code
    }
    return all > 0x7f ? undefined : String.fromCharCode.apply(undefined, codes)
  }
}
