const letters = ['a', 'B', '7', ' ', '\u0000', 'ü', 'ß', '漢', '😀', '"', '\\', '\u007f', '\u2028']

/**
 * A random value of everything that the codecs carry, half of them at the edges of their representation.
 * @param random numbers in [0, 1)
 * @param depth how deep it may nest from here
 */
export function randomValue(random: () => number, depth = 3): unknown {
  const below = (limit: number) => Math.floor(random() * limit)
  const kinds = depth === 0 ? 9 : 13
  switch (below(kinds)) {
    case 0:
      return null
    case 1:
      return random() < 0.5
    case 2:
      return randomInteger(random)
    case 3:
      return randomFloat(random)
    case 4:
    case 5:
      return randomText(random)
    case 6:
      return Uint8Array.from({ length: randomSize(random) }, () => below(256))
    case 7:
      return new Date(Math.floor((random() * 2 - 0.5) * 2 ** below(43)))
    case 8:
      return (random() < 0.5 ? -1n : 1n) * (2n ** 64n + BigInt(below(2 ** 31)) ** 3n)
    case 9:
      return Array.from({ length: below(6) }, () => randomValue(random, depth - 1))
    case 10:
      return new Map(Array.from({ length: below(5) }, () => pair(random, depth - 1)))
    case 11:
      return new Set(Array.from({ length: below(5) }, () => randomInteger(random)))
    default:
      return randomObject(random, depth)
  }
}

function pair(random: () => number, depth: number): [unknown, unknown] {
  return [random() < 0.5 ? randomText(random) : randomInteger(random), randomValue(random, depth)]
}

function randomObject(random: () => number, depth: number): Record<string, unknown> {
  const size = random() < 0.05 ? 15 + Math.floor(random() * 4) : Math.floor(random() * 6)
  const entries = Array.from({ length: size }, () => {
    return [randomText(random), randomValue(random, depth - 1)] as const
  })
  return Object.fromEntries(entries.filter(([key]) => key !== '__proto__'))
}

/** Around the powers of two, where one form ends and the next begins. */
function randomInteger(random: () => number): number {
  const edge = 2 ** Math.floor(random() * 54) + Math.floor(random() * 3) - 1
  const clipped = Math.min(edge, Number.MAX_SAFE_INTEGER)
  return random() < 0.4 ? 0 - clipped : clipped
}

const oddFloats = [0.1, -0, 1.5, 2 ** 53, 1e300, 5e-324, Infinity, -Infinity, 1 / 3]

function randomFloat(random: () => number): number {
  if (random() < 0.3) return oddFloats[Math.floor(random() * oddFloats.length)]!
  return (random() - 0.5) * 10 ** Math.floor(random() * 600 - 300)
}

/** Around the sizes where one form of text or bytes ends and the next begins. */
function randomSize(random: () => number): number {
  const roll = random()
  if (roll < 0.97) return Math.floor(random() * 36)
  return roll < 0.999 ? 254 + Math.floor(random() * 4) : 65_534 + Math.floor(random() * 4)
}

function randomText(random: () => number): string {
  const size = randomSize(random)
  if (size > 300) return 'x'.repeat(size)
  let text = ''
  const plain = random() < 0.5
  for (let index = 0; index < size; index++) {
    text += plain ? 'k' : letters[Math.floor(random() * letters.length)]
  }
  return text
}
