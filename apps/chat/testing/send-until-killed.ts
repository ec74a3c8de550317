import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { silentLog, systemClock } from 'covey'
import { LocalService } from 'covey/testing'
import { conversationsService } from '../message/conversations-service.ts'
import { openMessageDatabase } from '../message/message-database.ts'
import { messageSettings } from '../message/settings.ts'
import { defaultsOf } from './defaults-of.ts'

// Sends messages without end, for a test that kills it. Arguments: the database and a name for this round. First it sends
// the client ids again that it reads from its input. It writes `try <client id>` before each send and `ack <client
// id> <seq>` behind it, each at once.

const [path, round] = process.argv.slice(2)
const lanes = 20
const [sender, friend] = ['u_sender----', 'u_friend----']

const { api } = start(path!)
const { id: conversationId } = await api.openDirect({ userId: sender, friendId: friend })
for await (const clientId of createInterface(process.stdin)) await send(clientId)
await Promise.all(Array.from({ length: lanes }, (_, lane) => sendForEver(lane)))

function start(file: string) {
  const service = conversationsService({
    database: openMessageDatabase(file, silentLog),
    clock: systemClock,
    push() {},
    areFriends: async () => true,
    settings: { ...defaultsOf(messageSettings), flood: { burst: 1_000_000, perSecond: 1_000_000 } },
  })
  return { api: new LocalService(service).client() }
}

async function sendForEver(lane: number): Promise<never> {
  for (let n = 0; ; n++) await send(`${round}-${lane}-${n}`)
}

async function send(clientId: string): Promise<void> {
  say(`try ${clientId}`)
  const text = `text of ${clientId} 👍`
  const { seq } = await api.send({ conversationId, senderId: sender, clientId, text })
  say(`ack ${clientId} ${seq}`)
}

/** Writes a line before it returns, so that no line is lost in a buffer of this process. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`)
      return
    } catch (error) {
      // The pipe is full for the moment; a line is shorter than what a pipe takes as a whole.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}
