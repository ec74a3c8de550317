// biome-ignore-all assist/source/organizeImports: the order is for readers, users' names first
export { defineContract, type Contract } from './contract/define-contract.ts'
export { clientStream, duplex, serverStream, unary } from './contract/method.ts'
export {
  defineService,
  type Handlers,
  type MethodCall,
  type Service,
} from './contract/define-service.ts'
export type { CallOptions, Client, StreamSource } from './contract/client.ts'
export type { Routing, RoutingOptions } from './call/routing.ts'
export type { RepetitionOptions } from './call/repetition.ts'
export type { Balance } from './balance/create-balancer.ts'
export type { ResultOptions, Ticket } from './contract/ticket.ts'
export type { Settled } from './contract/settled.ts'
export { results, type SettledResults } from './rpc/results.ts'
export { createClient, type ClientOptions } from './rpc/create-client.ts'
export {
  batch,
  type BatchOptions,
  type BatchOutputs,
  type BatchSettled,
  type Entries,
} from './rpc/batch.ts'
export type { Entry } from './contract/entry.ts'
export { createApp } from './app/create-app.ts'
export type { App, AppLabels, AppOptions } from './app/app.ts'
export type { AppContext, Resource } from './app/app-context.ts'
export { defineResource } from './app/define-resource.ts'
export {
  defineSettings,
  type SettingsDefinition,
  type SettingsOf,
} from './settings/define-settings.ts'
export {
  loadSettings,
  type LoadedSettings,
  type LoadSettingsOptions,
} from './settings/load-settings.ts'
export { CoveyError } from './error/covey-error.ts'
export { codes, type Code } from './error/codes.ts'
export { currentCall } from './call/call-storage.ts'
export type { Call } from './call/call.ts'
export type { Identity, Peer } from './call/peer.ts'
export type { Handler, Middleware } from './call/handler.ts'
export { silentLog, type Log } from './observe/log.ts'
export { createRuntime, type Runtime, type RuntimeOptions } from './rpc/runtime.ts'
export type { EjectionPolicy, EjectionSettings } from './balance/ejection-policy.ts'
export type { RetryPolicy, RetrySettings } from './middleware/retry-policy.ts'
export {
  createKeyRing,
  type KeyOptions,
  type LiveKeyRing,
} from './transport/tcp/create-key-ring.ts'
export {
  fixedCredentials,
  type TlsCredentials,
  type TlsMaterial,
} from './transport/tls/tls-credentials.ts'
export { health, type HealthReport } from './rpc/health.ts'
export { stats, type ServerStats } from './rpc/stats.ts'
export { reflect } from './rpc/reflect.ts'
export type {
  ContractDescription,
  JsonSchema,
  MethodDescription,
} from './contract/describe-contract.ts'
export type { CalleeFigures, CalleeInstance } from './rpc/callee-figures.ts'
export type { MethodMetrics } from './observe/call-metrics.ts'

// ---- For those who write registries, transports, codecs, and parts of their own.
export { createBackoff, type Backoff, type BackoffOptions } from './base/backoff.ts'
export { systemClock, type Clock, type Timer } from './base/clock.ts'
export { sleep } from './base/sleep.ts'
export type { Schema } from './base/schema.ts'
export type { Codec } from './codec/codec.ts'
export type { Instance, Lease, Registry } from './discovery/registry.ts'
export { FileRegistry, type FileRegistryOptions } from './discovery/file-registry.ts'
export { MemoryRegistry } from './discovery/memory-registry.ts'
export { openRegistry, type OpenRegistryOptions } from './discovery/open-registry.ts'
export { defaultLimits, type Limits } from './transport/limits.ts'
export type { Compression } from './transport/compression.ts'
export type { AuthKey, KeyCrypto, KeyRing, Mac } from './transport/key-ring.ts'
export type { Integrity, KeyMode, LinkOptions } from './transport/link-options.ts'
export type {
  Connection,
  ConnectionEvents,
  ConnectionState,
  ConnectOptions,
  Dispatcher,
  Listener,
  ListenOptions,
  Transport,
} from './transport/transport.ts'
export type { Pipe, PipeEvents } from './transport/session/pipe.ts'
export { connectSession } from './transport/session/connect-session.ts'
export { SessionSet } from './transport/session/session-set.ts'
export { createListener } from './transport/create-listener.ts'
