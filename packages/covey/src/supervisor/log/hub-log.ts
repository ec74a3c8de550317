import type { Clock } from '../../base/clock.ts'
import type { Log, LogFields } from '../../observe/log.ts'
import type { LogHub } from './log-hub.ts'

const supervisorSource = { process: 'covey', replica: 0 } as const

/** The supervisor's own log: its lines stand among those of the processes, in the same form. */
export function createHubLog(hub: LogHub, clock: Clock, bound: LogFields = {}): Log {
  const write = (level: number) => (fields: LogFields, msg: string) => {
    const record = { level, time: clock.wallMs(), ...bound, ...fields, msg }
    hub.append(supervisorSource, 'stdout', JSON.stringify(record))
  }
  return {
    debug: write(20),
    info: write(30),
    warn: write(40),
    error: write(50),
    child: (fields) => createHubLog(hub, clock, { ...bound, ...fields }),
  }
}
