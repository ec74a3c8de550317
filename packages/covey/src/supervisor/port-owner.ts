import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const listening = '0A'

/**
 * Which process listens on a TCP port of this machine, in words: `process 4711 (node main.ts) in /srv/chat`. Undefined
 * when the system does not say: it belongs to another user, or there is no /proc.
 */
export function describePortOwner(port: number): string | undefined {
  const inodes = listeningInodes(port)
  if (inodes.size === 0) return undefined
  const pid = numbersIn('/proc').find((candidate) => holdsSocket(candidate, inodes))
  if (pid === undefined) return undefined
  const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 80)
  const folder = link(`/proc/${pid}/cwd`)
  return `process ${pid} (${command})${folder === undefined ? '' : ` in ${folder}`}`
}

/** Says in the words of a process that cannot listen who has the port, where they leave that open and the system tells. */
export function namePortOwner(text: string): string {
  return text.replace(/:(\d+) is in use by another process/, (all, port: string) => {
    const owner = describePortOwner(Number(port))
    return owner === undefined ? all : `:${port} is in use by ${owner}`
  })
}

/** Inodes of the sockets that listen on the port; see proc_net_tcp in the kernel's documentation. */
function listeningInodes(port: number): Set<string> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => read(path).split('\n'))
  const rows = lines.map((line) => line.trim().split(/\s+/))
  const found = rows.filter(([, local, , state]) => local?.endsWith(wanted) && state === listening)
  return new Set(found.map((row) => row[9]!))
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  return numbersIn(`/proc/${pid}/fd`).some((fd) => {
    const target = link(`/proc/${pid}/fd/${fd}`)
    return target?.startsWith('socket:[') && inodes.has(target.slice(8, -1))
  })
}

function numbersIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
