import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * A forked process of this benchmark: it reports by messages and is always ended by the one who
 * started it.
 */
export interface Child {
  /** The next message. Rejects when the child ends first or says nothing for `limitMs`. */
  message(limitMs: number): Promise<unknown>
  /**
   * Ends the child: SIGTERM, then SIGKILL after 2 s. Resolves when it is gone; a second call is
   * free.
   */
  stop(): Promise<void>
}

const running = new Set<Child>()
const graceMs = 2_000

/**
 * Forks `script` with the same Node, in `bench/`, where no configuration file of an application
 * lies. Its stdout goes to our stderr, because our stdout carries the result alone.
 * `NODE_ENV=production` for every subject alike: some frameworks do extra work without it.
 */
export function startChild(script: URL, args: string[]): Child {
  const label = [script.pathname.split('/').at(-1), ...args].join(' ')
  const process_ = fork(script, args, {
    cwd: fileURLToPath(new URL('./', import.meta.url)),
    stdio: ['ignore', 2, 2, 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const exited = new Promise<void>((resolve) => {
    process_.once('exit', () => resolve())
    process_.once('error', () => resolve())
  })
  const child: Child = {
    message: (limitMs) => nextMessage(process_, label, limitMs),
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
