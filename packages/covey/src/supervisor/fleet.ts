/** What happens when a process has ended by itself. */
export type Restart = 'always' | 'never'

/** How the supervisor learns that a process is well: by the `covey.health` contract, or not at all. */
export type HealthCheck = 'covey' | 'none'

/** One process of a fleet, as written in `covey.config.ts`. */
export interface ProcessOptions {
  /** The script to run with this Node, relative to the folder of the config file. */
  entry: string
  /** Arguments of the script. Default none. */
  args?: readonly string[]
  /** How many copies run, 1 to 64. Default 1. */
  replicas?: number
  /** Environment variables on top of the supervisor's own. Default none. */
  env?: Readonly<Record<string, string>>
  /** Default `always`: started again after every end, with growing delays, without giving up. */
  restart?: Restart
  /**
   * Default `covey`, which every application made by `createApp` answers. With `none` a process counts
   * as ready once it runs, and one that hangs is not noticed.
   */
  health?: HealthCheck
  /** Processes that must be ready before this one starts; they are stopped after it. Default none. */
  after?: readonly string[]
  /** Time until it must be ready, in milliseconds. Default 30,000. */
  startTimeoutMs?: number
  /** Time between SIGTERM and SIGKILL, in milliseconds. Default 35,000. */
  stopTimeoutMs?: number
  /** Where people find it. Printed at start as `<name>: <url>`. Default: nothing is printed. */
  url?: string
}

/** A line printed once everything runs: `Chat: http://127.0.0.1:8090`. */
export interface BannerLine {
  readonly label: string
  readonly url: string
}

/** A fleet as written in `covey.config.ts`. */
export interface FleetOptions {
  /** Lower case words with dashes, shown to people. */
  name: string
  /** At least one, by name. Names are lower case words with dashes; `covey` is taken. */
  processes: Readonly<Record<string, ProcessOptions>>
  /** Lines printed once everything runs. Default none. */
  banner?: readonly BannerLine[]
  /** The console and its HTTP API. */
  admin?: {
    /** Its port on 127.0.0.1. Default 9501. */
    port?: number
  }
}

/** A checked process with all defaults. */
export type FleetProcess = Readonly<Required<Omit<ProcessOptions, 'url'>>> & {
  readonly name: string
}

/** A checked fleet with all defaults; frozen. It is a valid `FleetOptions` again. */
export interface Fleet {
  readonly name: string
  readonly processes: Readonly<Record<string, FleetProcess>>
  /** The lines of `banner`, then those of processes with a `url`. */
  readonly banner: readonly BannerLine[]
  readonly admin: { readonly port: number }
}
