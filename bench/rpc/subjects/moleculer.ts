/**
 * Moleculer over its TCP transporter with its JSON serializer: logging off, metrics, tracing and
 * validation off (its defaults, or none declared). Its transporter opens one connection per
 * direction: requests travel on the client's, answers on the server's, so the client listens too.
 * Nodes are given by static URL; UDP discovery is off.
 */
import { type BrokerOptions, ServiceBroker } from 'moleculer'
import { freePort } from '../free-port.ts'
import type { Payload } from '../payload.ts'
import { spread } from '../spread.ts'
import type { BenchClient } from '../subject.ts'

const serverId = 'echo-server'
const connectLimitMs = 15_000

export async function startServer(port: number): Promise<void> {
  const broker = new ServiceBroker(options(serverId, port, ''))
  broker.createService({
    name: 'echo',
    actions: {
      echo: (call: { params: Payload }) => call.params,
      echoList: (call: { params: { items: Payload[] } }) => call.params,
    },
  })
  await broker.start()
}

export function connect(port: number, connections: number): Promise<BenchClient> {
  let last = 0
  return spread(connections, () => open(port, `echo-client-${process.pid}-${++last}`))
}

/**
 * The client learns the server's actions from the first round of gossip, which comes after about 2
 * s.
 */
async function open(port: number, id: string): Promise<BenchClient> {
  const urls = `tcp://127.0.0.1:${port}/${serverId}`
  const broker = new ServiceBroker(options(id, await freePort(), urls))
  await broker.start()
  await broker.waitForServices('echo', connectLimitMs)
  return {
    echo: (payload) => broker.call<Payload, Payload>('echo.echo', payload),
    echoList: async (items) => {
      type List = { items: Payload[] }
      return (await broker.call<List, List>('echo.echoList', { items })).items
    },
    close: () => broker.stop(),
  }
}

function options(nodeID: string, port: number, urls: string): BrokerOptions {
  return {
    nodeID,
    logger: false,
    transporter: { type: 'TCP', options: { port, urls, udpDiscovery: false, useHostname: false } },
  }
}
