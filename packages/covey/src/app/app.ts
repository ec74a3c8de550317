import type { Middleware } from '../call/handler.ts'
import type { Client } from '../contract/client.ts'
import type { Contract } from '../contract/define-contract.ts'
import type { AnyService } from '../contract/define-service.ts'
import type { Instance } from '../discovery/registry.ts'
import type { ClientOptions } from '../rpc/create-client.ts'
import type { Runtime } from '../rpc/runtime.ts'
import type { SettingsDefinition, SettingsOf } from '../settings/define-settings.ts'
import type { Authenticate } from '../transport/transport.ts'
import type { AppContext, Resource } from './app-context.ts'

/** What callers may ask for. The settings `covey.group`, `covey.version`, … win over what the code says. */
export interface AppLabels {
  /** The set of instances it belongs to: `canary`. Default none. */
  group?: string
  /** What it runs: `2.1.0`. Default none. */
  version?: string
  /** Where it runs: `eu-west-1a`. Default none. */
  zone?: string
  /** What else tells it apart. Default none. */
  tags?: readonly string[]
  /** Its share of calls in relation to others. Default 1; 0 takes calls only where there is no other. */
  weight?: number
}

/** What an application is made of. */
export interface AppOptions<D extends SettingsDefinition = SettingsDefinition> extends AppLabels {
  /** Name of the process, for people and logs. */
  name: string
  /** The application's own settings; they are in the context of resources and services. */
  settings?: D
  /** Values that win over files and environment. For tests: `{ covey: { port: 4100 }, user: { … } }`. */
  overrides?: Readonly<Record<string, object>>
  /** Sections of `config.yaml` that belong to the other processes of a fleet. */
  knownSections?: readonly string[]
  /** Opened in this order, closed in the opposite one. */
  resources?: readonly Resource[]
  /** What it serves; a function gets the started resources. */
  services?: readonly AnyService[] | ((context: AppContext<SettingsOf<D>>) => readonly AnyService[])
  /** Wraps every call of its own services, behind validation. */
  middleware?: readonly Middleware[]
  /**
   * Wraps every call of the framework's services that every application carries: `covey.stats`, `covey.reflect` and
   * `covey.results`, but never `covey.health`. Default none: who may connect may ask them.
   */
  systemMiddleware?: readonly Middleware[]
  /** Of the port for calls over HTTP, which the setting `covey.http.port` opens. */
  http?: {
    /** Turns the bearer token of a request into who asks, or throws `UNAUTHENTICATED`. Default: nobody is asked. */
    authenticate?: Authenticate
  }
  /** Registry and connections. Default: those of the process. */
  runtime?: Runtime
  /**
   * Whether it is the life of the whole process. Signals and the end of the supervisor's pipe stop it then, and a
   * start that fails ends the process with one clear line: with exit code 78 when it would fail again (wrong settings, a
   * port in use), else 1. Default true; set false in tests, and to handle the failure of `start` yourself.
   */
  ownsProcess?: boolean
}

/** An application: the life of one process, or of one part of a test. */
export interface App extends AsyncDisposable {
  readonly name: string
  /** How others see it, once it is started. */
  readonly instance: Instance
  /** Where it takes calls, once it is started: `tcp://127.0.0.1:4100`. */
  readonly address: string
  readonly state: 'new' | 'starting' | 'ready' | 'draining' | 'stopped'
  /**
   * Loads settings, opens resources, takes calls, announces itself.
   * @throws CoveyError `INVALID_SETTINGS`, `ADDRESS_IN_USE`, `START_FAILED`; everything is closed again then
   */
  start(): Promise<void>
  /** Drains and closes everything. Calling it again waits for the same end. */
  stop(): Promise<void>
  /** Functions for a contract, by the application's own runtime. */
  client<C extends Contract>(contract: C, options?: Omit<ClientOptions, 'runtime'>): Client<C>
}
