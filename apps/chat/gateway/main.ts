import { type AppContext, createApp, defineResource } from 'covey'
import { createGateway } from 'covey/gateway'
import { openGatewayParts } from './gateway-parts.ts'
import { type GatewaySettings, gatewaySettings } from './settings.ts'

const parts = defineResource('chat', {
  start: (context: AppContext<GatewaySettings>) => openGatewayParts(context),
  stop: (value) => value.stop(),
})

const door = defineResource('door', {
  async start(context: AppContext<GatewaySettings>) {
    const { chat, authenticate, routes, origins, attachDoor } = context.get(parts)
    const { host, port, assets } = context.settings
    const gateway = await createGateway({
      context,
      host,
      port,
      services: [chat],
      authenticate,
      routes,
      origins,
      assets,
    })
    attachDoor(gateway)
    return gateway
  },
  stop: (gateway) => gateway.stop(),
})

/** The gateway: the page, sessions and the contract `chat` for browsers, pushes for the fleet. */
await createApp({
  name: 'gateway',
  settings: gatewaySettings,
  resources: [parts, door],
  services: ({ get }) => get(parts).services,
}).start()
