import type { ProbeState } from './probe-board.ts'

/** What is known when somebody asks. */
export interface ProbeFacts {
  readonly state: ProbeState
  /** How long the event loop has stood still, in milliseconds. */
  readonly stalledMs: number
}

/** From when on a loop that stands still counts. */
export interface ProbeLimits {
  /** Milliseconds until it is not ready. */
  readonly blockedMs: number
  /** Milliseconds until it is dead. */
  readonly deadMs: number
}

/** An answer over HTTP. `body` is JSON that strangers may see: it tells nothing of what the application is. */
export interface ProbeAnswer {
  readonly status: 200 | 404 | 405 | 503
  readonly body: string
}

/** Answers a request of a platform: `/ready` and `/live`. */
export function probeAnswer(
  method: string,
  path: string,
  facts: ProbeFacts,
  limits: ProbeLimits,
): ProbeAnswer {
  if (path !== '/ready' && path !== '/live') {
    return { status: 404, body: '{"error":"ask for /ready or /live"}' }
  }
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: '{"error":"use GET"}' }
  const { blockedMs, deadMs } = limits
  const blocked = facts.stalledMs >= (path === '/ready' ? Math.min(blockedMs, deadMs) : deadMs)
  const name = path.slice(1)
  if (blocked) return no(name, { reason: 'blocked', forMs: Math.floor(facts.stalledMs) })
  if (path === '/ready' && facts.state !== 'ready') return no(name, { reason: facts.state })
  return { status: 200, body: JSON.stringify({ [name]: true }) }
}

function no(name: string, why: { reason: string; forMs?: number }): ProbeAnswer {
  return { status: 503, body: JSON.stringify({ [name]: false, ...why }) }
}
