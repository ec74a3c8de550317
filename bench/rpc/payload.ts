/** The object that is echoed: numbers, strings and a string array, about 100 bytes as JSON. */
export interface Payload {
  id: number
  name: string
  email: string
  score: number
  tags: string[]
}

/**
 * The payload of call number `id`. Each call differs, so that an answer which got to the wrong
 * caller is noticed.
 */
export function createPayload(id: number): Payload {
  return {
    id,
    name: 'Ada Lovelace',
    email: 'ada@example.org',
    score: 97.25,
    tags: ['math', 'poetry'],
  }
}

/**
 * Whether an answer is what was sent, field by field. Cheap enough (tens of ns) to run on every
 * answer.
 */
export function isEcho(sent: Payload, answer: Payload): boolean {
  return (
    answer.id === sent.id &&
    answer.name === sent.name &&
    answer.email === sent.email &&
    answer.score === sent.score &&
    answer.tags.length === sent.tags.length &&
    answer.tags.every((tag, index) => tag === sent.tags[index])
  )
}
