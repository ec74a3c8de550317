import type { BenchClient } from './subject.ts'

/**
 * Several clients with one connection each as one, for frameworks whose client knows one connection only: calls
 * go to them in turn.
 */
export async function spread(
  connections: number,
  connect: () => Promise<BenchClient>,
): Promise<BenchClient> {
  const clients: BenchClient[] = []
  for (let n = 0; n < connections; n++) clients.push(await connect())
  const [first] = clients
  if (clients.length === 1) return first!
  let turn = 0
  const next = () => clients[turn++ % clients.length]!
  return {
    ...first,
    ...(first?.echo && { echo: (payload) => next().echo!(payload) }),
    ...(first?.echoList && { echoList: (list) => next().echoList!(list) }),
    close: async () => {
      await Promise.all(clients.map((client) => client.close()))
    },
  }
}
