import type { ChatEvent } from '../contracts/push.ts'

/**
 * Tells connected users something, wherever they are. Returns at once and never throws; whoever cannot be
 * reached finds the same out by the next pull.
 */
export type PushEvent = (userIds: readonly string[], event: ChatEvent) => void
