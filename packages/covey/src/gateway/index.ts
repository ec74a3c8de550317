// For those who write transports.
export { acceptWebSockets, type WsRoute } from '../transport/ws/server.ts'
export { allowOrigin } from './allow-origin.ts'
export { createGateway, type Gateway, type GatewayOptions } from './create-gateway.ts'
export { type Problem, problemOf, sendProblem } from './problem.ts'
