import { dirname } from 'node:path'
import { Option } from 'commander'
import { findConfig } from '../supervisor/load-fleet.ts'
import { type RunFolder, runFolder } from '../supervisor/run-folder.ts'

/** What every command that concerns a fleet takes. */
export interface ProjectOptions {
  config?: string
}

/** `--config <path>` */
export function configOption(): Option {
  const text = 'the config file (default: covey.config.ts here or in a folder above)'
  return new Option('-c, --config <path>', text)
}

/** The run folder of the fleet that a command is about. The config itself is not loaded: it may be broken. */
export async function findProject({ config }: ProjectOptions): Promise<RunFolder> {
  return runFolder(dirname(await findConfig(process.cwd(), config)))
}
