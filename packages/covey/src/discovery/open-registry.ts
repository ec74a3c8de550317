import { fileURLToPath } from 'node:url'
import type { Clock } from '../base/clock.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Log } from '../observe/log.ts'
import { BorrowedRegistry } from './borrowed-registry.ts'
import { FileRegistry } from './file-registry.ts'
import { MemoryRegistry } from './memory-registry.ts'
import type { Registry } from './registry.ts'

/** What a registry is opened with. */
export interface OpenRegistryOptions {
  readonly log: Log
  readonly clock: Clock
}

/**
 * The registry that a setting names. Whoever opens it closes it; a registry that is passed in as a value stays open.
 *
 * - `memory:` a new registry inside this process; to share one, pass a `MemoryRegistry`.
 * - `file:.covey/registry`, `file:/srv/registry` a directory, relative to the current one or absolute.
 *
 * @throws CoveyError `INVALID_SETTINGS` if the URL names no known kind of registry
 */
export async function openRegistry(
  target: string | Registry,
  options: OpenRegistryOptions,
): Promise<Registry> {
  if (typeof target !== 'string') return new BorrowedRegistry(target)
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*(?=:)/.exec(target)?.[0].toLowerCase() ?? ''
  const open = Object.hasOwn(openers, scheme) ? openers[scheme] : undefined
  if (open !== undefined) return open(target, options)
  // The rest of the URL may hold a password.
  const found = scheme === '' ? 'has no scheme' : `has the unknown scheme ${scheme}:`
  const known = Object.keys(openers).map((name) => `${name}:`)
  throw invalid(`the URL ${found}; known are ${known.join(' and ')}`)
}

type Opener = (url: string, options: OpenRegistryOptions) => Registry

const openers: Readonly<Record<string, Opener>> = {
  memory(url) {
    if (url.length > 'memory:'.length) throw invalid('write memory: with nothing after it')
    return new MemoryRegistry()
  },
  file(url, options) {
    return new FileRegistry({ directory: directoryOf(url), ...options })
  },
}

function directoryOf(url: string): string {
  const path = url.slice('file:'.length)
  if (path === '') throw invalid('file: needs a directory, like file:.covey/registry')
  if (!path.startsWith('//')) return path
  try {
    return fileURLToPath(url)
  } catch (cause) {
    throw invalid('write file:dir for a relative and file:/dir for an absolute directory', cause)
  }
}

function invalid(text: string, cause?: unknown): CoveyError {
  return new CoveyError('INVALID_SETTINGS', `registry: ${text}`, { cause })
}
