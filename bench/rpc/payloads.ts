import { createDistinctPayload } from './distinct-payload.ts'
import { createPayload, isEcho, type Payload } from './payload.ts'

/** One size of what is echoed. `id` makes each value another one, so that a mixed-up answer is noticed. */
interface PayloadKind<T> {
  create(id: number): T
  /** Whether an answer is what was sent. Cheap enough to run on every answer. */
  isEcho(sent: T, answer: T): boolean
  /** The method of a client that takes it. */
  method: 'echo' | 'echoList'
}

const kindOf = <T>(kind: PayloadKind<T>) => kind as PayloadKind<unknown>

/**
 * Names of the payloads, by their size as JSON; a list holds 50 of the objects of 100 bytes, all with the same texts or each with
 * its own.
 */
export const payloads = {
  '100B': kindOf<Payload>({ create: createPayload, isEcho, method: 'echo' }),
  '1KiB': kindOf<Payload>({ create: withText(1024), isEcho, method: 'echo' }),
  '16KiB': kindOf<Payload>({ create: withText(16 * 1024), isEcho, method: 'echo' }),
  list50: kindOf<Payload[]>({
    create: listOf(createPayload),
    isEcho: isSameList,
    method: 'echoList',
  }),
  list50distinct: kindOf<Payload[]>({
    create: listOf(createDistinctPayload),
    isEcho: isSameList,
    method: 'echoList',
  }),
} as const

export type PayloadName = keyof typeof payloads

export const payloadNames = Object.keys(payloads) as PayloadName[]

/** The same object with a long text in it, as a message or a document has; plain ASCII. */
function withText(bytes: number): (id: number) => Payload {
  const rest = JSON.stringify({ ...createPayload(1_000_000), name: '' }).length
  const sentence = 'The engine might act upon other things besides number. '
  const name = sentence.repeat(Math.ceil(bytes / sentence.length)).slice(0, bytes - rest)
  return (id) => ({ ...createPayload(id), name })
}

function listOf(create: (id: number) => Payload): (id: number) => Payload[] {
  return (id) => Array.from({ length: 50 }, (_, index) => create(id * 50 + index))
}

function isSameList(sent: Payload[], answer: Payload[]): boolean {
  return answer.length === sent.length && sent.every((item, index) => isEcho(item, answer[index]!))
}
