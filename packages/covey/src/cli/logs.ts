import { Command, InvalidArgumentError } from 'commander'
import type { LogLine } from '../observe/log-line.ts'
import { columnNames, createRenderer, wantsColor } from '../observe/render-line.ts'
import type { ProcessStatus } from '../supervisor/process-status.ts'
import { findSupervisor } from '../supervisor/supervisor-record.ts'
import { AdminClient } from './admin-client.ts'
import { write } from './output.ts'
import { configOption, findProject, type ProjectOptions } from './project.ts'
import { notRunningCode } from './status.ts'

interface LogsOptions extends ProjectOptions {
  follow: boolean
  lines: number
}

/** `covey logs` */
export function logsCommand(): Command {
  return new Command('logs')
    .description('show what the processes wrote')
    .argument('[process]', 'a process (user), one copy of it (user-0), or the supervisor (covey)')
    .addOption(configOption())
    .option('-f, --follow', 'go on with new lines as they come', false)
    .option('-n, --lines <count>', 'how many lines to begin with, 1000 at most', toCount, 100)
    .action(logs)
}

async function logs(name: string | undefined, options: LogsOptions): Promise<void> {
  const folder = await findProject(options)
  const found = findSupervisor(folder)
  if (found.kind !== 'running') {
    process.exitCode = notRunningCode
    process.stdout.write(`no fleet runs in ${folder.root}; its last logs are in ${folder.log}\n`)
    return
  }
  const client = new AdminClient(folder, found.record)
  const { processes } = await client.get<{ processes: ProcessStatus[] }>('/api/processes')
  const names = columnNames([...processes, { process: 'covey', replica: 0 }])
  const color = wantsColor(process.env, process.stdout.isTTY ?? false)
  const render = createRenderer({ color, names })
  const query = new URLSearchParams({
    lines: String(options.lines),
    follow: String(options.follow),
    ...(name === undefined ? {} : { process: name }),
  })
  for await (const line of client.lines<LogLine | { dropped: number }>(`/api/logs?${query}`)) {
    const text = 'dropped' in line ? `… ${line.dropped} lines missed\n` : render(line)
    if (!(await write(process.stdout, text))) return
  }
}

function toCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}
