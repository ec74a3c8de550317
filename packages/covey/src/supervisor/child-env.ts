import type { FleetProcess } from './fleet.ts'

/** What one copy of a process is told through its environment. */
export interface ChildPlace {
  readonly process: FleetProcess
  readonly replica: number
  /** Absolute path of `.covey`. */
  readonly root: string
  /** Path of its control socket. */
  readonly socket: string
}

/**
 * The environment of a child: the supervisor's own, what the config adds, and the `COVEY_…` variables. Colours are the
 * supervisor's affair: those that a child writes would only be escaped, so it is asked for none.
 */
export function childEnv(
  inherited: NodeJS.ProcessEnv,
  { process, replica, root, socket }: ChildPlace,
): Record<string, string | undefined> {
  const { FORCE_COLOR: _, ...rest } = inherited
  return {
    ...rest,
    NO_COLOR: '1',
    ...process.env,
    COVEY_PROCESS: process.name,
    COVEY_REPLICA: String(replica),
    COVEY_DIR: root,
    COVEY_CONTROL: socket,
  }
}
