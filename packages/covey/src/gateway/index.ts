// For those who write transports.
export type { RpcDoorOptions } from '../transport/http/call-desk.ts'
export { RpcDoor } from '../transport/http/rpc-door.ts'
export { acceptWebSockets, type WsRoute } from '../transport/ws/server.ts'
export { allowOrigin } from './allow-origin.ts'
export { createGateway, type Gateway } from './create-gateway.ts'
export type { GatewayHttpOptions, GatewayOptions } from './gateway-options.ts'
export type { GatewayTls } from './gateway-tls.ts'
export { type Problem, problemOf, sendProblem } from './problem.ts'
