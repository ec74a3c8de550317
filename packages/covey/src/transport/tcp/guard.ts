import { Socket } from 'node:net'
import type { Limits } from '../limits.ts'

/** What the system is told, in whole seconds, which is what it takes. */
export interface Probes {
  /** Silence before the first probe. */
  readonly idleSeconds: number
  readonly intervalSeconds: number
  /** So many without an answer, and the connection is closed with `ETIMEDOUT`. */
  readonly count: number
}

/** A single probe may be lost on its way, for the system does not repeat it. */
const fewest = 2
/** More of them tell nothing new. */
const most = 10

/** Systems that can be told all three numbers for each socket. */
const platforms: readonly NodeJS.Platform[] = ['linux', 'android', 'darwin', 'freebsd']

/** Older versions of Node take no count (26.4 does): theirs is ten, which would be 11 seconds. */
const tellable = platforms.includes(process.platform) && Socket.prototype.setKeepAlive.length >= 4

/**
 * A connection is asked a second later for each so many that are open already. The kernel asks those that are due in bursts,
 * 31 or 4 a second: with a probe a second for each of 10,000 connections, every call in 50 met one and waited a millisecond.
 * So they are asked 1,100 times a second together.
 */
const connectionsPerSecond = 250

/** Sockets of this process that are open. */
let open = 0

/** A socket was opened, or has been closed. */
export function countSocket(change: 1 | -1): void {
  open += change
}

/**
 * Has the system ask the peer's machine whether it is there (TCP keep-alive), so that an idle connection to one that is gone
 * is closed within `silenceMs`, at no cost for either process; in one that has many, up to `idlePingMs` later.
 * @returns false where that cannot be had: this system or Node cannot, or `silenceMs` is under 3 seconds
 */
export function guard(socket: Socket, limits: Limits): boolean {
  const probes = tellable ? probesFor(limits, open) : undefined
  if (probes === undefined) return false
  const { idleSeconds, intervalSeconds, count } = probes
  socket.setKeepAlive(true, idleSeconds * 1_000, intervalSeconds * 1_000, count)
  return true
}

/**
 * The probes that are over, all of them, within `silenceMs`, the first after about `pingMs`; undefined if there are none.
 * @param connections that are open already; for many of them the first probe comes later
 */
export function probesFor(limits: Limits, connections = 0): Probes | undefined {
  const probes = probesInTime(limits)
  if (probes === undefined) return undefined
  const later = Math.floor(connections / connectionsPerSecond)
  const latest = Math.max(probes.idleSeconds, Math.floor(limits.idlePingMs / 1_000))
  return { ...probes, idleSeconds: Math.min(probes.idleSeconds + later, latest) }
}

function probesInTime({ pingMs, silenceMs }: Limits): Probes | undefined {
  if (!Number.isFinite(silenceMs)) return undefined
  const idleSeconds = Math.max(1, Math.floor(pingMs / 1_000))
  const leftSeconds = Math.floor(silenceMs / 1_000) - idleSeconds
  if (leftSeconds < fewest) return undefined
  const intervalSeconds = Math.max(
    Math.min(idleSeconds, Math.floor(leftSeconds / fewest)),
    Math.floor(leftSeconds / most),
  )
  const count = Math.min(most, Math.floor(leftSeconds / intervalSeconds))
  return { idleSeconds, intervalSeconds, count }
}
