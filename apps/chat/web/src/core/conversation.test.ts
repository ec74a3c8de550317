import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Conversation, Message } from '../../../contracts/messages.ts'
import {
  mergeConversation,
  missingAtEnd,
  peerOf,
  progressOf,
  unreadOf,
  withMessages,
  withReceipt,
} from './conversation.ts'
import { startWith } from './timeline.ts'

const me = 'u_ada00000'
const bob = 'u_bob00000'
const conversationId = 'c_12345678'

function message(seq: number, senderId = bob): Message {
  return { conversationId, seq, senderId, clientId: `client-${seq}`, text: 'hi', sentAtMs: seq }
}

function receipt(userId: string, deliveredSeq: number, readSeq: number) {
  return { conversationId, userId, deliveredSeq, readSeq }
}

function server(lastSeq: number, receipts = [receipt(me, 0, 0), receipt(bob, 0, 0)]): Conversation {
  const lastMessage = lastSeq === 0 ? null : message(lastSeq)
  return {
    id: conversationId,
    kind: 'direct',
    memberIds: [me, bob],
    lastSeq,
    lastMessage,
    receipts,
  }
}

test('unread is the newest sequence less the own read one', () => {
  const conversation = mergeConversation(undefined, server(7, [receipt(me, 7, 4)]))
  assert.equal(unreadOf(conversation, me), 3)
  assert.equal(unreadOf(withReceipt(conversation, receipt(me, 7, 7)), me), 0)
})

test('a pushed message counts as unread, an own one does not', () => {
  const start = mergeConversation(undefined, server(0))
  const one = withMessages(start, [message(1)])
  assert.equal(unreadOf(one, me), 1)
  const two = withMessages(one, [message(2, me)])
  assert.equal(unreadOf(two, me), 0)
  assert.equal(unreadOf(two, bob), 1)
})

test('whoever writes has read what is above', () => {
  const start = withMessages(mergeConversation(undefined, server(0)), [message(1, me)])
  assert.equal(progressOf(start, message(1, me), me), 'stored')
  assert.equal(progressOf(withMessages(start, [message(2)]), message(1, me), me), 'read')
})

test('progress follows the receipts of the other side, read counts as delivered', () => {
  const start = mergeConversation(undefined, server(3))
  const at = (delivered: number, read: number) =>
    progressOf(withReceipt(start, receipt(bob, delivered, read)), message(2, me), me)
  assert.equal(at(1, 0), 'stored')
  assert.equal(at(2, 1), 'delivered')
  assert.equal(at(0, 2), 'read')
})

test('receipts and sequences never go back', () => {
  const high = mergeConversation(undefined, server(9, [receipt(me, 9, 8)]))
  const merged = mergeConversation(high, server(5, [receipt(me, 5, 2)]))
  assert.equal(merged.lastSeq, 9)
  assert.equal(merged.lastMessage?.seq, 9)
  assert.deepEqual(merged.receipts.get(me), receipt(me, 9, 8))
  assert.equal(withReceipt(high, receipt(me, 3, 3)), high)
})

test('what is missing is counted from the end of the loaded part', () => {
  const start = mergeConversation(undefined, server(9))
  assert.equal(missingAtEnd(start), 9)
  assert.equal(missingAtEnd({ ...start, timeline: startWith([message(6), message(7)]) }), 2)
})

test('the peer of a conversation is the other member', () => {
  assert.equal(peerOf(mergeConversation(undefined, server(0)), me), bob)
})
