import { type ChildProcess, type Serializable, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Two hosts on this machine, each with a network of its own, and a cable between them that can be cut. */
export interface NetworkPair extends AsyncDisposable {
  readonly hosts: readonly [NetworkHost, NetworkHost]
  /** From now on nothing that is sent arrives, and nobody is told. */
  cut(): void
}

export interface NetworkHost {
  /** IPv4 address. */
  readonly address: string
  /** Starts a script of `testing/fixtures` there, which is told `first` by its parent. */
  start(script: string, first: Serializable): HostedScript
}

/** A process on such a host. It ends with its pair at the latest. */
export interface HostedScript {
  /** The next message of the process. @throws Error if it ends before */
  next<M>(): Promise<M>
}

interface Side {
  readonly name: string
  readonly address: string
  readonly peer: string
}

/** Nobody has it, so what is sent to it is for nobody. */
const nobodysHardwareAddress = '02:00:00:00:00:01'
let made = 0

/**
 * Makes a pair out of network namespaces, which takes Linux, `ip` and the rights of an administrator.
 * @returns why it cannot be had, as a text, where something is missing
 */
export function createNetworkPair(): NetworkPair | string {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  made += 1
  // Of the range that RFC 2544 sets aside for benchmarks.
  const sides = ['a', 'b'].map((letter, index) => ({
    name: `covey-${process.pid}-${made}${letter}`,
    address: `198.18.0.${1 + index}`,
    peer: `198.18.0.${2 - index}`,
  })) as unknown as [Side, Side]
  const problem = connect(sides)
  const children: ChildProcess[] = []
  const close = async () => {
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(
      children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')),
    )
    for (const { name } of sides) ip('netns', 'del', name)
  }
  if (problem !== undefined) {
    void close()
    return `no network namespaces: ${problem}`
  }
  return {
    hosts: sides.map((side) => host(side, children)) as [NetworkHost, NetworkHost],
    cut() {
      for (const side of sides) {
        const to = ['lladdr', nobodysHardwareAddress, 'dev', device, 'nud', 'permanent']
        const failed = inside(side, 'neigh', 'replace', side.peer, ...to)
        if (failed !== undefined) throw new Error(failed)
      }
    },
    [Symbol.asyncDispose]: close,
  }
}

const device = 'wire'

/** Sets everything up. @returns what went wrong */
function connect(sides: [Side, Side]): string | undefined {
  const [one, other] = sides
  let problem = ip('netns', 'add', one.name) ?? ip('netns', 'add', other.name)
  const far = ['peer', 'name', device, 'netns', other.name]
  problem ??= ip('link', 'add', device, 'netns', one.name, 'type', 'veth', ...far)
  for (const side of sides) {
    problem ??= inside(side, 'addr', 'add', `${side.address}/24`, 'dev', device)
    problem ??= inside(side, 'link', 'set', device, 'up')
  }
  return problem
}

function inside({ name }: Side, ...args: string[]): string | undefined {
  return ip('-n', name, ...args)
}

function ip(...args: string[]): string | undefined {
  const { status, error, stderr } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status === 0) return undefined
  return `ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`
}

function host({ name, address }: Side, children: ChildProcess[]): NetworkHost {
  return {
    address,
    start(script, first) {
      const path = fileURLToPath(new URL(`./fixtures/${script}`, import.meta.url))
      const quiet = '--disable-warning=ExperimentalWarning'
      const args = ['netns', 'exec', name, process.execPath, quiet, path]
      const child = spawn('ip', args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      children.push(child)
      child.send(first)
      return hosted(child)
    },
  }
}

function hosted(child: ChildProcess): HostedScript {
  const messages: unknown[] = []
  let wake = () => {}
  child.on('message', (message) => {
    messages.push(message)
    wake()
  })
  child.on('exit', () => wake())
  return {
    async next<M>() {
      while (messages.length === 0) {
        if (child.exitCode !== null) throw new Error(`the process exited with ${child.exitCode}`)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return messages.shift() as M
    },
  }
}
