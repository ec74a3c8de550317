import { once } from 'node:events'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Log } from '../observe/log.ts'
import { instanceName, type LogSource } from '../observe/log-line.ts'
import { columnNames, createRenderer, wantsColor } from '../observe/render-line.ts'
import { adminUrl, startAdminServer } from './admin/admin-server.ts'
import { endLeftovers } from './child-records.ts'
import { chosenProcesses } from './chosen-processes.ts'
import type { FleetProcess } from './fleet.ts'
import { createHealthProbe } from './health-probe.ts'
import type { LoadedFleet } from './load-fleet.ts'
import { createHubLog } from './log/hub-log.ts'
import { LogFile } from './log/log-file.ts'
import { LogHub } from './log/log-hub.ts'
import { Terminal } from './log/terminal.ts'
import { ensureToken, prepareRunFolder, type RunFolder, runFolder } from './run-folder.ts'
import { removeSocketFolder, socketFolderFor } from './socket-folder.ts'
import { spawnChild } from './spawn-child.ts'
import { Supervisor } from './supervisor.ts'
import { claimRecord } from './supervisor-record.ts'

/** What a master needs. */
export interface MasterOptions {
  readonly loaded: LoadedFleet
  /** Names of the processes to run. Default all. */
  readonly only?: readonly string[] | undefined
  /** Where logs and the banner go. */
  readonly output: Writable & { readonly isTTY?: boolean }
  /** Inherited by children; says whether to use colours. */
  readonly env: NodeJS.ProcessEnv
  /** Its abort begins the stop. */
  readonly stop: AbortSignal
  /** Its abort ends all processes at once. */
  readonly kill: AbortSignal
  readonly clock?: Clock
}

/** The parts that are set up before the first process starts. */
interface Stage {
  readonly clock: Clock
  readonly folder: RunFolder
  readonly socketFolder: string
  readonly hub: LogHub
  readonly log: Log
  readonly terminal: Terminal
}

/** Time for the last lines to reach a slow terminal. */
const lastOutputMs = 1_000

/**
 * The life of `covey start`: takes the run folder, ends what a dead predecessor left, opens the console, runs the
 * processes, prints where to find them, waits for the stop, and takes everything back in the opposite order.
 *
 * @throws CoveyError when the fleet cannot be started; what had started is stopped then
 */
export async function runMaster(options: MasterOptions): Promise<void> {
  const processes = chosenProcesses(options.loaded.fleet, options.only)
  const askedByApi = new AbortController()
  const stop = AbortSignal.any([options.stop, askedByApi.signal])
  await using undo = new AsyncDisposableStack()
  const stage = prepare(undo, options, copiesOf(processes))
  const { clock, folder, log } = stage
  const left = await endLeftovers(folder.run, { clock, signal: stop })
  if (left.length > 0) log.warn({}, `a supervisor had died here; ended its ${left.join(', ')}`)
  const supervisor = createSupervisor(options, stage, processes)
  await openConsole(undo, options, stage, supervisor, () => askedByApi.abort())
  undo.defer(() => supervisor.stop())
  onAbort(stop, () => {
    log.info({}, 'stopping; a second Ctrl-C kills at once')
    void supervisor.stop()
  })
  onAbort(options.kill, () => supervisor.kill())
  if (stop.aborted) return
  log.info({}, `starting ${processes.map(({ name }) => name).join(', ')}`)
  await supervisor.start()
  if (stop.aborted) return
  printBanner(stage.terminal, options)
  await once(stop, 'abort')
}

/** Makes this process the supervisor of the folder and opens its logs. */
function prepare(undo: AsyncDisposableStack, options: MasterOptions, copies: LogSource[]): Stage {
  const { loaded, clock = systemClock } = options
  const { fleet } = loaded
  const folder = runFolder(loaded.folder)
  prepareRunFolder(folder)
  const names = copies.map(instanceName)
  const socketFolder = socketFolderFor(folder.run, names)
  undo.defer(() => removeSocketFolder(socketFolder))
  const facts = {
    fleet: fleet.name,
    url: adminUrl(fleet.admin.port),
    socketFolder: socketFolder === folder.run ? null : socketFolder,
  }
  const release = claimRecord(folder, facts, (stale) => {
    if (stale?.socketFolder) removeSocketFolder(stale.socketFolder)
  })
  undo.defer(release)
  const hub = new LogHub(clock)
  const log = createHubLog(hub, clock)
  const sources = [...copies, { process: 'covey', replica: 0 }]
  const terminal = openTerminal(undo, options, hub, sources)
  openLogFiles(undo, hub, log, folder, sources)
  return { clock, folder, socketFolder, hub, log, terminal }
}

function openTerminal(
  undo: AsyncDisposableStack,
  { output, env }: MasterOptions,
  hub: LogHub,
  sources: LogSource[],
): Terminal {
  const terminal = new Terminal(output)
  const color = wantsColor(env, output.isTTY ?? false)
  const render = createRenderer({ color, names: columnNames(sources) })
  hub.listen((line, audience) => {
    if (audience === 'log only') return
    if (terminal.full) terminal.drop()
    else terminal.write(render(line))
  })
  undo.defer(() => terminal.flush(AbortSignal.timeout(lastOutputMs)))
  return terminal
}

function openLogFiles(
  undo: AsyncDisposableStack,
  hub: LogHub,
  log: Log,
  folder: RunFolder,
  sources: LogSource[],
): void {
  const open = (name: string) => {
    const path = join(folder.log, `${name}.log`)
    return new LogFile({
      path,
      onError: ({ message }) => log.warn({ reason: message }, `${path} cannot be written`),
    })
  }
  const files = new Map(sources.map(instanceName).map((name) => [name, open(name)]))
  hub.listen((line) => files.get(instanceName(line))?.append(line))
  undo.defer(async () => {
    await Promise.all([...files.values()].map((file) => file.close()))
  })
}

function createSupervisor(
  { env, loaded }: MasterOptions,
  { folder, ...stage }: Stage,
  processes: readonly FleetProcess[],
): Supervisor {
  return new Supervisor({
    ...stage,
    env,
    loaded,
    processes,
    runFolder: folder,
    random: Math.random,
    spawn: spawnChild,
    probe: createHealthProbe,
  })
}

async function openConsole(
  undo: AsyncDisposableStack,
  { loaded }: MasterOptions,
  { clock, folder, hub, log }: Stage,
  supervisor: Supervisor,
  stop: () => void,
): Promise<void> {
  const { admin, name } = loaded.fleet
  const server = await startAdminServer({
    port: admin.port,
    token: ensureToken(folder),
    fleet: name,
    hub,
    log,
    clock,
    processes: () => supervisor.processes(),
    stopLimitMs: () => supervisor.stopLimitMs,
    stop,
  })
  undo.defer(() => server.close())
}

/** With only some processes running, the config's own lines may promise what is not there. */
function printBanner(terminal: Terminal, { loaded, only, output }: MasterOptions): void {
  const { admin, banner } = loaded.fleet
  const lines = [
    ...(only === undefined ? banner : []),
    { label: 'Console', url: adminUrl(admin.port) },
  ]
  for (const { label, url } of lines) terminal.write(`${label}: ${url}\n`)
  terminal.write(`Ctrl-C stops everything${output.isTTY ? '' : ', as does "covey stop"'}\n`)
}

function copiesOf(processes: readonly FleetProcess[]): LogSource[] {
  return processes.flatMap(({ name, replicas }) =>
    Array.from({ length: replicas }, (_, replica) => ({ process: name, replica })),
  )
}

function onAbort(signal: AbortSignal, run: () => void): void {
  if (signal.aborted) run()
  else signal.addEventListener('abort', run, { once: true })
}
