import { Command } from 'commander'
import { durationText } from '../base/duration-text.ts'
import type { ProcessStatus } from '../supervisor/process-status.ts'
import { findSupervisor } from '../supervisor/supervisor-record.ts'
import { AdminClient } from './admin-client.ts'
import { configOption, findProject, type ProjectOptions } from './project.ts'
import { formatBytes, formatTable } from './table.ts'

/** What the exit code says when nothing runs: LSB and systemd use it for "program is not running". */
export const notRunningCode = 3

/** `covey status` */
export function statusCommand(): Command {
  return new Command('status')
    .description('list the processes of the fleet; exit code 3 when none runs')
    .addOption(configOption())
    .option('--json', 'as JSON')
    .action(status)
}

async function status({ json = false, ...options }: ProjectOptions & { json?: boolean }) {
  const folder = await findProject(options)
  const found = findSupervisor(folder)
  if (found.kind !== 'running') {
    process.exitCode = notRunningCode
    const text = `no fleet runs in ${folder.root}`
    return void process.stdout.write(json ? toJson({ running: false }) : `${text}\n`)
  }
  const { fleet, pid, url } = found.record
  const client = new AdminClient(folder, found.record)
  const { processes } = await client.get<{ processes: ProcessStatus[] }>('/api/processes')
  const head = `${fleet}: supervisor ${pid}, console ${url}\n\n`
  const text = json
    ? toJson({ running: true, fleet, pid, url, processes })
    : head + formatTable([columns, ...processes.map(toRow)]) + reasons(processes)
  process.stdout.write(text)
}

const columns = ['PROCESS', 'STATE', 'PID', 'RESTARTS', 'UP', 'CPU', 'MEMORY']

function toRow(process: ProcessStatus): string[] {
  const { name, state, pid, restarts, uptimeMs, retryMs, cpuPercent, memoryBytes } = process
  return [
    name,
    retryMs === null ? state : `${state} ${durationText(retryMs)}`,
    pid === null ? '-' : String(pid),
    String(restarts),
    uptimeMs === null ? '-' : durationText(uptimeMs),
    cpuPercent === null ? '-' : `${cpuPercent.toFixed(1)} %`,
    memoryBytes === null ? '-' : formatBytes(memoryBytes),
  ]
}

/** A line for each process that could not start, below the table. */
function reasons(processes: readonly ProcessStatus[]): string {
  const failed = processes.filter(({ reason }) => reason !== null)
  const lines = failed.map(({ name, reason }) => `${name} could not start: ${reason}\n`)
  return failed.length === 0 ? '' : `\n${lines.join('')}`
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
