import type { Payload } from './payload.ts'

/** Objects after which the texts come again; more than a list of them has. */
const variety = 500

// Through JSON, so that the texts are whole, as if they had been read, and not pieces that V8 joins when they are used.
const made = Array.from({ length: variety }, (_, index) => createVariant(index))
const variants: Payload[] = JSON.parse(JSON.stringify(made))

/**
 * Like `createPayload`, of the same size, but the objects of a list have nothing in common but their keys: what a codec
 * gains from texts that come again it does not gain here.
 */
export function createDistinctPayload(id: number): Payload {
  const { name, email, score, tags } = variants[id % variety]!
  return { id, name, email, score, tags: [...tags] }
}

function createVariant(index: number): Payload {
  const letters = createLetters(index + 1)
  return {
    id: 0,
    name: `${letters(3)} ${letters(8)}`,
    email: `${letters(7)}@${letters(3)}.org`,
    score: 10 + (index % 80) + 0.25,
    tags: [letters(4), letters(6)],
  }
}

/** Gives the next letters of a row that the seed decides. */
function createLetters(seed: number): (count: number) => string {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0
  return (count) => {
    let text = ''
    for (let index = 0; index < count; index++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      text += String.fromCharCode(97 + ((state >>> 16) % 26))
    }
    return text
  }
}
