import { type AppContext, CoveyError, createApp, defineResource } from 'covey'
import { createGateway } from 'covey/gateway'
import { openGatewayParts } from './gateway-parts.ts'
import { type GatewaySettings, gatewaySettings, tlsOf } from './settings.ts'

const parts = defineResource('chat', {
  start: (context: AppContext<GatewaySettings>) => openGatewayParts(context),
  stop: (value) => value.stop(),
})

const door = defineResource('door', {
  async start(context: AppContext<GatewaySettings>) {
    const { chat, authenticate, routes, origins, attachDoor } = context.get(parts)
    const { host, port, assets, allowInsecure } = context.settings
    const tls = tlsOf(context.settings)
    const gateway = await createGateway({
      context,
      host,
      port,
      ...(tls && { tls }),
      allowInsecure,
      services: [chat],
      authenticate,
      routes,
      origins,
      assets,
    }).catch((error) => {
      throw nameSetting(error, port)
    })
    attachDoor(gateway)
    return gateway
  },
  stop: (gateway) => gateway.stop(),
})

/** Whoever reads that the port is in use wants to know where another one is set. */
function nameSetting(error: unknown, port: number): CoveyError {
  const { code, message, cause } = CoveyError.from(error)
  if (code !== 'ADDRESS_IN_USE') throw error
  const how = `here gateway.port, as in GATEWAY__PORT=${port + 1} make start`
  return new CoveyError(code, `${message}; ${how}`, { cause })
}

/** The gateway: the page, sessions and the contract `chat` for browsers, pushes for the fleet. */
await createApp({
  name: 'gateway',
  settings: gatewaySettings,
  resources: [parts, door],
  services: ({ get }) => get(parts).services,
}).start()
