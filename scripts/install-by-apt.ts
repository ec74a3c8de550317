import { spawnSync } from 'node:child_process'
import { runCommand } from './run-command.ts'

/**
 * Installs packages of Debian, where we are root or sudo asks for no password.
 * @returns why that was not possible, in a sentence; undefined when they are there
 */
export async function installByApt(packages: readonly string[]): Promise<string | undefined> {
  const names = packages.join(', ')
  if (!hasCommand('apt-get')) return `${names}: not installed, and this machine has no apt-get`
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  if (prefix.length > 0 && spawnSync('sudo', ['-n', 'true']).status !== 0) {
    return `${names}: not installed, and neither are we root nor does sudo work without a password`
  }
  console.error(`Installing Debian's ${names}…`)
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y']
  const [command = '', ...args] = apt
  const update = await runCommand(command, [...args, 'update'], '/')
  if (update.code !== 0) return `apt-get update failed\n${update.output}`
  const install = [...args, '--no-install-recommends', 'install', ...packages]
  const result = await runCommand(command, install, '/')
  return result.code === 0 ? undefined : `apt-get install ${names} failed\n${result.output}`
}

function hasCommand(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined
}
