export { createBackoff } from '../base/backoff.ts'
export { type Clock, systemClock, type Timer } from '../base/clock.ts'
export { sleep } from '../base/sleep.ts'
export type { CallOptions, Client, StreamSource } from '../contract/client.ts'
export { type Contract, defineContract } from '../contract/define-contract.ts'
export type { Entry } from '../contract/entry.ts'
export { clientStream, duplex, serverStream, unary } from '../contract/method.ts'
export type { Settled } from '../contract/settled.ts'
export type { ResultOptions, Ticket } from '../contract/ticket.ts'
export { CoveyError } from '../error/covey-error.ts'
export {
  type BatchOptions,
  type BatchOutputs,
  type BatchSettled,
  batch,
  type Entries,
} from '../rpc/batch.ts'
export { results, type SettledResults } from '../rpc/results.ts'
export {
  createWebClient,
  type LinkInfo,
  type LinkState,
  type WebClient,
  type WebClientOptions,
} from './create-web-client.ts'
