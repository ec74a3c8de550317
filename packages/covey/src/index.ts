export type { App, AppOptions } from './app/app.ts'
export type { AppContext, Resource } from './app/app-context.ts'
export { createApp } from './app/create-app.ts'
export { defineResource } from './app/define-resource.ts'
// For those who write transports, registries and codecs.
export { createBackoff } from './base/backoff.ts'
export type { Clock, Timer } from './base/clock.ts'
export type { Schema } from './base/schema.ts'
export { sleep } from './base/sleep.ts'
export type { Call } from './call/call.ts'
export { currentCall } from './call/call-storage.ts'
export type { Handler, Middleware } from './call/handler.ts'
export type { Identity, Peer } from './call/peer.ts'
export type { Codec } from './codec/codec.ts'
export type { CallOptions, Client } from './contract/client.ts'
export { type Contract, defineContract } from './contract/define-contract.ts'
export {
  defineService,
  type Handlers,
  type MethodCall,
  type Service,
} from './contract/define-service.ts'
export { serverStream, unary } from './contract/method.ts'
export type { Instance, Lease, Registry } from './discovery/registry.ts'
export { type Code, codes } from './error/codes.ts'
export { CoveyError } from './error/covey-error.ts'
export { type Log, silentLog } from './observe/log.ts'
export { type ClientOptions, createClient } from './rpc/create-client.ts'
export { type HealthReport, health } from './rpc/health.ts'
export { createRuntime, type Runtime, type RuntimeOptions } from './rpc/runtime.ts'
export {
  defineSettings,
  type SettingsDefinition,
  type SettingsOf,
} from './settings/define-settings.ts'
export { defaultLimits, type Limits } from './transport/limits.ts'
export type { Connection, Dispatcher, Listener, Transport } from './transport/transport.ts'
