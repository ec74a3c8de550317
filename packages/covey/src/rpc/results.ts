import type { Settled } from '../contract/settled.ts'
import type { ResultOptions, Ticket } from '../contract/ticket.ts'
import { awaitResults } from './await-results.ts'
import { CallTicket } from './call-ticket.ts'
import { fromCall } from './from-call.ts'
import { maxTokens } from './result-contract.ts'

/** What becomes of each ticket of a list, in its order. */
export type SettledResults<T extends readonly Ticket<unknown>[]> = {
  -readonly [K in keyof T]: Settled<T[K] extends Ticket<infer O> ? O : never>
}

/**
 * Waits for the results of many submitted calls, of any methods and services; each instance is asked for all of its own at once.
 * One that fails, or is not there in time, fails alone.
 *
 * @example
 * const [user, report] = await results([userTicket, reportTicket], { timeoutMs: 60_000 })
 * if (user.ok) console.log(user.value)
 * else console.log(user.error.code)
 */
export async function results<const T extends readonly Ticket<unknown>[]>(
  tickets: T,
  options: ResultOptions = {},
): Promise<SettledResults<T>> {
  const known = tickets.map((ticket) => {
    if (ticket instanceof CallTicket) return ticket
    throw new TypeError('results: each entry has to be a ticket of `submit` or `ticket(token)`')
  })
  const settled = new Map<string, Settled<unknown>>()
  await Promise.all(
    questions(known).map(async (asked) => {
      const { instance, source } = asked[0]!
      const tokens = asked.map(({ token }) => token)
      const found = await awaitResults(instance, tokens, source, options)
      for (const [token, outcome] of found) settled.set(token, outcome)
    }),
  )
  return known.map((ticket) => outcomeOf(ticket, settled)) as SettledResults<T>
}

/** The tickets of each instance, in parts that fit into one question. */
function questions(tickets: readonly CallTicket[]): CallTicket[][] {
  const groups = Map.groupBy(tickets, ({ instance }) => instance)
  const parts: CallTicket[][] = []
  for (const group of groups.values()) {
    for (let from = 0; from < group.length; from += maxTokens) {
      parts.push(group.slice(from, from + maxTokens))
    }
  }
  return parts
}

function outcomeOf(
  { token, method }: CallTicket,
  settled: ReadonlyMap<string, Settled<unknown>>,
): Settled<unknown> {
  const outcome = settled.get(token)!
  return outcome.ok ? outcome : { ok: false, error: fromCall(outcome.error, method) }
}
