import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../../contracts/messages.ts'
import type { Outgoing } from '../core/chat-state.ts'
import { mergeConversation } from '../core/conversation.ts'
import { startWith } from '../core/timeline.ts'
import { type LogItem, logItems, type MessageItem } from './log-items.ts'

const me = 'u_ada00000'
const bob = 'u_bob00000'
const conversationId = 'c_12345678'
const noon = new Date(2026, 2, 18, 12).getTime()
const minute = 60_000

function message(seq: number, senderId: string, timeMs: number): Message {
  return {
    conversationId,
    seq,
    senderId,
    clientId: `client-${seq}`,
    text: `${seq}`,
    sentAtMs: timeMs,
  }
}

function itemsOf(
  messages: Message[],
  outgoing: Outgoing[] = [],
  options: { unreadFrom?: number; readByBob?: number } = {},
): LogItem[] {
  const { unreadFrom = 0, readByBob = 0 } = options
  const conversation = mergeConversation(undefined, {
    id: conversationId,
    kind: 'direct',
    memberIds: [me, bob],
    lastSeq: messages.length,
    lastMessage: messages.at(-1) ?? null,
    receipts: [{ conversationId, userId: bob, deliveredSeq: readByBob + 1, readSeq: readByBob }],
  })
  const loaded = { ...conversation, timeline: startWith(messages) }
  return logItems(loaded, outgoing, me, unreadFrom, noon)
}

function outgoing(stage: Outgoing['stage'], reason = ''): Outgoing {
  return { conversationId, clientId: 'client-x', text: 'x', createdAtMs: noon, stage, reason }
}

const messagesIn = (items: LogItem[]) =>
  items.filter((item): item is MessageItem => item.kind === 'message')

const groupsOf = (items: LogItem[]) =>
  messagesIn(items)
    .map(({ first, last }) => `${first ? '[' : ''}.${last ? ']' : ''}`)
    .join('')

test('each day has one heading', () => {
  const day = 24 * 60 * minute
  const items = itemsOf([
    message(1, bob, noon - day),
    message(2, bob, noon - day),
    message(3, bob, noon),
  ])
  const headings = items.map((item) => (item.kind === 'day' ? item.text : item.kind))
  assert.deepEqual(headings, ['Yesterday', 'message', 'message', 'Today', 'message'])
})

test('messages of one person in a short time are one group', () => {
  const times = [0, 1, 2, 10, 11]
  const senders = [bob, bob, me, me, bob]
  const items = itemsOf(
    times.map((at, index) => message(index + 1, senders[index]!, noon + at * minute)),
  )
  assert.equal(groupsOf(items), '[..][.][.][.]')
})

test('the unread begin with a line that parts a group', () => {
  const three = [1, 2, 3].map((seq) => message(seq, bob, noon))
  const items = itemsOf(three, [], { unreadFrom: 2 })
  assert.deepEqual(
    items.map(({ kind }) => kind),
    ['day', 'message', 'unread', 'message', 'message'],
  )
  assert.equal(groupsOf(items), '[.][..]')
})

test('own messages show how far they have come, others show nothing', () => {
  const items = itemsOf(
    [message(1, me, noon), message(2, me, noon), message(3, me, noon), message(4, bob, noon)],
    [outgoing('waiting')],
    { readByBob: 1 },
  )
  const marks = messagesIn(items).map(({ mark }) => mark)
  assert.deepEqual(marks, ['read', 'delivered', 'stored', undefined, 'sending'])
})

test('a failed message says why, one that waits for its place is stored', () => {
  const [failed] = messagesIn(itemsOf([], [outgoing('failed', 'No.')]))
  assert.deepEqual([failed?.mark, failed?.reason], ['failed', 'No.'])
  const [stored] = messagesIn(itemsOf([], [outgoing('stored')]))
  assert.equal(stored?.mark, 'stored')
})

test('an own message has the same key before and after it is confirmed', () => {
  const before = messagesIn(itemsOf([], [{ ...outgoing('waiting'), clientId: 'client-1' }]))
  const after = messagesIn(itemsOf([message(1, me, noon)]))
  assert.equal(before[0]?.key, after[0]?.key)
})

test('no two lines have the same key', () => {
  const items = itemsOf(
    [message(1, bob, noon), message(2, me, noon - 24 * 60 * minute), message(3, bob, noon)],
    [outgoing('waiting')],
    { unreadFrom: 2 },
  )
  const keys = items.map(({ key }) => key)
  assert.equal(new Set(keys).size, keys.length)
})
