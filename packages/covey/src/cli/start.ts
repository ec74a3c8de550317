import { Command } from 'commander'
import { systemClock } from '../base/clock.ts'
import { findConfig, loadFleet } from '../supervisor/load-fleet.ts'
import { runMaster } from '../supervisor/master.ts'
import { configOption, type ProjectOptions } from './project.ts'

/** A Ctrl-C may come twice within moments, from the terminal and from a wrapper such as npm. */
const sameSignalMs = 300
/** The signals that stop a fleet, and the exit code after a second one: 128 and the signal's number. */
const stopSignals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** `covey start` */
export function startCommand(): Command {
  return new Command('start')
    .description('start the fleet, show its logs, stop it with Ctrl-C')
    .addOption(configOption())
    .option('--only <names>', 'only these processes, separated by commas')
    .action(start)
}

async function start({ config, only }: ProjectOptions & { only?: string }): Promise<void> {
  const signals = watchSignals()
  const loaded = await loadFleet(await findConfig(process.cwd(), config))
  const names = only?.split(',').map((name) => name.trim())
  await runMaster({
    loaded,
    only: names?.filter((name) => name !== ''),
    output: process.stdout,
    env: process.env,
    stop: signals.stop,
    kill: signals.kill,
  })
}

/** The first signal stops in order, a second one at once. */
function watchSignals(): { stop: AbortSignal; kill: AbortSignal } {
  const [stop, kill] = [new AbortController(), new AbortController()]
  let firstMs: number | undefined
  for (const [name, exitCode] of Object.entries(stopSignals)) {
    process.on(name, () => {
      const nowMs = systemClock.monotonicMs()
      firstMs ??= nowMs
      if (!stop.signal.aborted) return stop.abort()
      if (nowMs - firstMs < sameSignalMs) return
      process.exitCode = exitCode
      kill.abort()
    })
  }
  return { stop: stop.signal, kill: kill.signal }
}
