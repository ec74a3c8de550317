import type { Message } from '../../../contracts/messages.ts'
import type { Person } from '../../../contracts/people.ts'
import type { ChatState, ConversationState, Outgoing } from './chat-state.ts'
import { withMessages } from './conversation.ts'

/** Changes one conversation; nothing happens when it is not known. */
export function changeConversation(
  state: ChatState,
  id: string,
  change: (conversation: ConversationState) => ConversationState,
): ChatState {
  const known = state.conversations?.get(id)
  if (known === undefined) return state
  const changed = change(known)
  if (changed === known) return state
  const conversations = new Map(state.conversations)
  conversations.set(id, changed)
  return dropEchoes({ ...state, conversations }, id)
}

/** Adds messages of one conversation; own ones that are now in the history stop being echoes. */
export function addMessages(state: ChatState, id: string, messages: readonly Message[]): ChatState {
  return changeConversation(state, id, (conversation) => withMessages(conversation, messages))
}

/** Remembers who somebody is. */
export function addPeople(state: ChatState, people: readonly Person[]): ChatState {
  const fresh = people.filter(({ id, nickname, username }) => {
    const known = state.people.get(id)
    return known?.nickname !== nickname || known.username !== username
  })
  if (fresh.length === 0) return state
  const all = new Map(state.people)
  for (const { id, username, nickname } of fresh) all.set(id, { id, username, nickname })
  return { ...state, people: all }
}

/** Replaces the messages of a conversation that are on their way. */
export function changeOutgoing(
  state: ChatState,
  conversationId: string,
  change: (list: readonly Outgoing[]) => readonly Outgoing[],
): ChatState {
  const list = change(state.outgoing.get(conversationId) ?? [])
  const outgoing = new Map(state.outgoing)
  if (list.length === 0) outgoing.delete(conversationId)
  else outgoing.set(conversationId, list)
  return dropEchoes({ ...state, outgoing }, conversationId)
}

/**
 * An own message is shown once: as an echo until the history has it, or until it is stored in a
 * conversation of which no history is loaded.
 */
function dropEchoes(state: ChatState, conversationId: string): ChatState {
  const list = state.outgoing.get(conversationId)
  if (list === undefined) return state
  const timeline = state.conversations?.get(conversationId)?.timeline
  const arrived = new Set(timeline?.messages.map(({ clientId }) => clientId))
  const left = list.filter(
    ({ clientId, stage }) =>
      !arrived.has(clientId) && !(stage === 'stored' && timeline === undefined),
  )
  if (left.length === list.length) return state
  const outgoing = new Map(state.outgoing)
  if (left.length === 0) outgoing.delete(conversationId)
  else outgoing.set(conversationId, left)
  return { ...state, outgoing }
}
