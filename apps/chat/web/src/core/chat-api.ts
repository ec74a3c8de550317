import type { Client } from 'covey/client'
import type { chat } from '../../../contracts/chat.ts'

/** The server as the page sees it: the contract `chat` as functions. */
export type ChatApi = Client<typeof chat>
