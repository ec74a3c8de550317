import { defineSettings, type SettingsOf } from './define-settings.ts'
import { flag, integer, oneOf, records, text, texts } from './leaf.ts'

/** Settings of the framework itself: section `covey` of `config.yaml`, variables `COVEY__…`. */
export const frameworkSettings = defineSettings('covey', {
  /** Where instances find one another, as a URL: `file:` and a directory, or `memory:`. */
  registry: text().default('file:.covey/registry'),
  /** The address to listen on. Other machines reach only what listens on one of their networks. */
  host: text().default('127.0.0.1'),
  /**
   * The host that callers are told, where it is not the one to listen on. Default: `host`; where that stands for all addresses of
   * the machine, the first one that others can reach.
   */
  advertise: text().optional(),
  /**
   * Addresses to take calls at as well: `unix:/path`, whose file says who may connect, and those of transports that the runtime was
   * given.
   */
  listen: texts().default([]),
  /** The port to listen on; 0 finds a free one, which the registry tells to callers. */
  port: integer({ min: 0, max: 65_535 }).default(0),
  /**
   * Secrets that both sides of every connection prove to have: `{ id, secret | secretFile, subject? }`. The first is used to
   * connect, all are accepted.
   */
  keys: records(['id'], ['secret', 'secretFile', 'subject']).optional(),
  /**
   * Whether keys are demanded of everybody (`strict`, the default), or offered and taken and not demanded yet (`permissive`), while a
   * running fleet is given keys.
   */
  keyMode: oneOf(['strict', 'permissive']).optional(),
  /** Paths of PEM files, all three or none; connections are secured and both sides prove who they are then. New files are taken over. */
  tls: {
    /** The own certificate, and those between it and the authority. */
    cert: text().optional(),
    key: text().optional(),
    /** The authorities whose certificates are believed. */
    ca: text().optional(),
  },
  /** What tells of changed frames. Default `hmac` with keys, `none` without. */
  integrity: oneOf(['none', 'crc32c', 'hmac']).optional(),
  /** Bodies above this size are compressed. Default: none are. */
  compressAboveBytes: integer({ min: 0, max: 2 ** 31 }).optional(),
  /** Listens where other machines may connect although nobody asks who they are. */
  allowInsecure: flag().default(false),
  /** The set of instances it belongs to, for callers who ask for one: `canary`. Default: what the application says. */
  group: text().optional(),
  /** What it runs: `2.1.0`. Default: what the application says. */
  version: text().optional(),
  /** Where it runs. Default: what the application says. */
  zone: text().optional(),
  /** What else tells it apart, in place of what the application says. */
  tags: texts().optional(),
  /** Its share of calls in relation to others; 0 takes calls only where there is no other. Default: what the application says, or 1. */
  weight: integer({ min: 0, max: 1_000_000 }).optional(),
  /** Calls over HTTP, for other languages. */
  http: {
    /** The port to listen on for them, beside `port`; 0 finds a free one. Not set: none is opened. */
    port: integer({ min: 0, max: 65_535 }).optional(),
    /** The address to listen on for them. Default: `host`. */
    host: text().optional(),
    /**
     * Whether the port speaks TLS, with the certificate of `tls`, and takes the certificates of clients. Default: where `tls` is set.
     * False for a port that is reached through a proxy of this machine alone.
     */
    tls: flag().optional(),
    /** Whether clients of Dora-RPC may call there as well. */
    dora: flag().default(false),
  },
  /** A port of its own where a platform asks over HTTP whether the process lives (`/live`) and is ready (`/ready`). */
  probe: {
    /** The port to listen on; 0 finds a free one. Not set: none is opened. */
    port: integer({ min: 0, max: 65_535 }).optional(),
    /** The address to listen on. What is shown there is no secret, so that any may be given. */
    host: text().default('127.0.0.1'),
    /** A loop that stands still for so long is not ready, in milliseconds. */
    blockedMs: integer({ min: 300, max: 3_600_000 }).default(750),
    /** A loop that stands still for so long is dead, in milliseconds. */
    deadMs: integer({ min: 1_000, max: 86_400_000 }).default(30_000),
  },
  /** The least important lines of the log that are written. */
  logLevel: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Time for calls in flight at a stop, in milliseconds; what runs longer is broken off. */
  shutdownMs: integer({ min: 0, max: 3_600_000 }).default(30_000),
  /**
   * Time between telling the registry of a stop and refusing new calls, in milliseconds, so that callers hear of it first. The
   * default is how long a watcher of the file registry may take.
   */
  drainWaitMs: integer({ min: 0, max: 60_000 }).default(500),
  /** How the calls that it makes are repeated; what is not set is as the code says, else as here. */
  retry: {
    /** How often a call is sent at most, the first time included; 1: never again. Default 3. */
    attempts: integer({ min: 1, max: 10 }).optional(),
    /** Upper bound of the first random pause, in milliseconds; it doubles with each attempt. Default 50. */
    baseMs: integer({ min: 0, max: 60_000 }).optional(),
    /** Upper bound of every pause, in milliseconds. Default 1,000. */
    maxMs: integer({ min: 0, max: 60_000 }).optional(),
    /** How many of 100 calls to a service may be repeated. Default 10. */
    budgetPercent: integer({ min: 0, max: 100 }).optional(),
    /** Repetitions a second that are allowed to a service however few its calls are. Default 10. */
    minPerSecond: integer({ min: 0, max: 1_000 }).optional(),
  },
  /** When instances that it calls are left out because their calls fail; what is not set is as the code says, else as here. */
  ejection: {
    /** Whether they are. Default true. */
    enabled: flag().optional(),
    /** By how many of 100 calls more than those of the others its calls must fail. Default 10. */
    thresholdPercent: integer({ min: 1, max: 100 }).optional(),
    /** For how long an instance is left out the first time, in milliseconds; it doubles each time. Default 5,000. */
    baseMs: integer({ min: 100, max: 600_000 }).optional(),
    /** Upper bound of it, in milliseconds. Default 60,000. */
    maxMs: integer({ min: 100, max: 3_600_000 }).optional(),
    /** How many of 100 instances may be left out at the same time. Default 50. */
    maxPercent: integer({ min: 0, max: 50 }).optional(),
  },
  /** What happens when more calls come than the process can run. */
  admission: {
    /** Whether calls that could not begin in time are refused at once. Without a word, where `NODE_ENV` is `production`. */
    enabled: flag().optional(),
    /**
     * The longest time that a call may wait to be begun, in milliseconds. It never waits for more than half of the time it has,
     * which is what counts for calls with the usual deadlines; this is for those that have minutes.
     */
    maxWaitMs: integer({ min: 1, max: 3_600_000 }).default(5_000),
  },
  /** Of calls whose caller does not wait (`notify`, `submit`). */
  results: {
    /** How long a result waits to be collected, from the end of the work on, in milliseconds. */
    keepMs: integer({ min: 1_000, max: 86_400_000 }).default(600_000),
    /** Results that wait, together with submitted calls that run. */
    maxCount: integer({ min: 1, max: 10_000_000 }).default(10_000),
    /** Bytes of all results that wait. */
    maxBytes: integer({ min: 1_024, max: 64 * 1024 ** 3 }).default(64 * 1024 * 1024),
    /** Calls that run at the same time without anybody waiting for them. */
    maxRunning: integer({ min: 1, max: 10_000_000 }).default(10_000),
  },
})

/** The settings of the framework, as an application gets them. */
export type FrameworkSettings = SettingsOf<typeof frameworkSettings>
