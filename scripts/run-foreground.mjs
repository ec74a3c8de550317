import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** @typedef {import('node:child_process').SpawnOptions} SpawnOptions */

const forwarded = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/**
 * A terminal's Ctrl-C reaches us twice, from the terminal and from npm, within a few milliseconds.
 */
const sameSignalMs = 500

/**
 * Runs a command in our place: our standard streams, our signals, our exit code. Resolves with the
 * code to exit with, 128 + n when signal n ended it, and rejects when it cannot be started.
 *
 * With `detached: true` the command leads its own process group, so that each of a user's Ctrl-C
 * reaches it exactly once: a supervisor takes the second one as "stop at once".
 *
 * Plain JavaScript, because the bootstrap needs it on Node 18 and later.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {SpawnOptions} [options]
 * @returns {Promise<number>}
 */
export function runForeground(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: 'inherit' })
    const stopForwarding = forwardSignals((signal) => child.kill(signal))
    child.once('error', (error) => {
      stopForwarding()
      reject(error)
    })
    child.once('exit', (code, signal) => {
      stopForwarding()
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))
    })
  })
}

/**
 * @param {(signal: NodeJS.Signals) => void} forward
 * @returns {() => void} ends the forwarding
 */
function forwardSignals(forward) {
  /** @type {Map<NodeJS.Signals, number>} */
  const lastAt = new Map()
  /** @param {NodeJS.Signals} signal */
  function onSignal(signal) {
    const now = performance.now()
    if (now - (lastAt.get(signal) ?? Number.NEGATIVE_INFINITY) < sameSignalMs) return
    lastAt.set(signal, now)
    forward(signal)
  }
  for (const signal of forwarded) process.on(signal, onSignal)
  return () => {
    for (const signal of forwarded) process.off(signal, onSignal)
  }
}
