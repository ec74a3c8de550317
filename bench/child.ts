import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * A forked process of this benchmark: it reports by messages and is always ended by the one who
 * started it.
 */
export interface Child {
  readonly pid: number
  /** The next message. Rejects when the child ends first or says nothing for `limitMs`. */
  message(limitMs: number): Promise<unknown>
  /** Sends `message` and gives the next one that comes back. Rejects like `message`. */
  request(message: object, limitMs: number): Promise<unknown>
  /**
   * Ends the child: SIGTERM, then SIGKILL after 2 s. Resolves when it is gone; a second call is
   * free.
   */
  stop(): Promise<void>
}

const running = new Set<Child>()
const graceMs = 2_000

/** What a child runs on. */
export interface ChildOptions {
  /** The only core it may use, counted from 0; needs `taskset`. Default: any. */
  core?: number | undefined
  /** Arguments for Node itself. */
  nodeArgs?: string[]
}

/**
 * Forks `script` with the same Node, in `bench/`, where no configuration file of an application
 * lies. Its stdout goes to our stderr, because our stdout carries the result alone.
 * `NODE_ENV=production` for every subject alike: some frameworks do extra work without it.
 */
export function startChild(script: URL, args: string[], options: ChildOptions = {}): Child {
  const { core, nodeArgs = [] } = options
  const label = [script.pathname.split('/').at(-1), ...args].join(' ')
  // taskset replaces itself by Node, so the process id and the channel of messages stay the same.
  const pinned = core !== undefined && { execPath: 'taskset' }
  const process_ = fork(script, args, {
    ...pinned,
    execArgv: pinned ? ['-c', String(core), process.execPath, ...nodeArgs] : nodeArgs,
    cwd: fileURLToPath(new URL('./', import.meta.url)),
    stdio: ['ignore', 2, 2, 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const exited = new Promise<void>((resolve) => {
    process_.once('exit', () => resolve())
    process_.once('error', () => resolve())
  })
  const child: Child = {
    pid: process_.pid ?? 0,
    message: (limitMs) => nextMessage(process_, label, limitMs),
    request: (message, limitMs) => {
      const answer = nextMessage(process_, label, limitMs)
      // A child that ended in the meantime is noticed by the answer.
      if (process_.connected) process_.send(message, () => {})
      return answer
    },
    stop: async () => {
      if (hasEnded(process_)) return
      process_.kill('SIGTERM')
      const kill = setTimeout(() => process_.kill('SIGKILL'), graceMs)
      await exited
      clearTimeout(kill)
    },
  }
  running.add(child)
  exited.then(() => running.delete(child))
  return child
}

/**
 * Ends every child that is still there. Safe to call at any time, from `finally` and from signal
 * handlers.
 */
export async function stopChildren(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop()))
}

/**
 * For the script inside a child: end with the parent, even one that was killed and could stop
 * nobody.
 */
export function endWithParent(): void {
  process.once('disconnect', () => process.exit(1))
}

/** For the script inside a child: hand a message to the parent, resolved once it is written. */
export function report(message: object): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!process.send) return reject(new Error('start the benchmark with `node bench/run.ts`'))
    process.send(message, undefined, undefined, (error) => (error ? reject(error) : resolve()))
  })
}

async function nextMessage(child: ChildProcess, label: string, limitMs: number): Promise<unknown> {
  if (hasEnded(child)) throw new Error(`${label}: the process has already ended`)
  const listening = new AbortController()
  const { signal } = listening
  const limit = setTimeout(
    () => listening.abort(new Error(`${label}: no answer within ${limitMs / 1000} s`)),
    limitMs,
  )
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code, killedBy]) => {
        throw new Error(`${label}: the process ended early (${killedBy ?? `exit code ${code}`})`)
      }),
    ])
    return message
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    clearTimeout(limit)
    listening.abort()
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined
}
