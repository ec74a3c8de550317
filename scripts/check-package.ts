import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type Findings, reportChecks, repositoryRoot } from './findings.ts'
import { trackedFiles } from './tracked-files.ts'

/** Packages with an install script that may stand in a lock file, each with the reason. */
const installScripts: Record<string, string> = {
  fsevents: 'optional and for macOS only, where npm does not run it without leave',
  protobufjs: 'in bench/ only, and denied by allowScripts there: it merely prints a warning',
}

/**
 * The dependency lists whose versions are exact. Peers are ranges, for it is the user who chooses
 * their version.
 */
const exactLists = ['dependencies', 'devDependencies', 'optionalDependencies'] as const
const allLists = [...exactLists, 'peerDependencies'] as const

/**
 * Texts that tie the repository to one machine or one registry. Put together so that this file has
 * none of them.
 */
const foreignTexts = [
  { pattern: /(^|[\s'"`(=:])\/(work|root|home)\/\w/, what: 'an absolute path of one machine' },
  { pattern: new RegExp(`${['registry', 'npmjs', 'org'].join('\\.')}`), what: 'a registry host' },
  { pattern: /^\s*(@[\w-]+:)?registry\s*=/, what: 'a registry setting' },
]

const binary = /\.(png|jpe?g|gif|webp|avif|ico|woff2?|ttf|mp3|mp4|ogg|wav|gz|tgz|zip|br|zst|pdf)$/

type DependencyList = Record<string, string>

interface Manifest extends Partial<Record<(typeof allLists)[number], DependencyList>> {
  workspaces?: string[]
}

type LockedPackages = Record<string, Manifest & { resolved?: string; hasInstallScript?: boolean }>

interface Lock {
  packages?: LockedPackages
}

if (import.meta.main) {
  const check = { name: 'package', run: checkPackage }
  process.exitCode = (await reportChecks([check], repositoryRoot)) ? 0 : 1
}

/**
 * Holds what makes an install the same everywhere: exact versions, a lock file that agrees with the
 * manifests and names no download address, no install scripts, and no file that names a path of one
 * machine. The `dependencies` of bench/ are the systems we are compared with, and nothing else may
 * depend on them.
 */
export function checkPackage(root: string): Findings {
  const files = trackedFiles(root)
  const manifests = files.filter((path) => posix.basename(path) === 'package.json')
  const locks = files.filter((path) => posix.basename(path) === 'package-lock.json')
  const problems = [
    ...manifests.flatMap((path) => checkVersions(path, readJson<Manifest>(root, path))),
    ...locks.flatMap((path) => checkLock(root, path)),
    ...checkPeersOfBench(root, manifests),
    ...files.filter((path) => !binary.test(path)).flatMap((path) => checkTexts(root, path)),
  ]
  return { problems, warnings: [], note: `${manifests.length} packages, ${files.length} files` }
}

function checkVersions(path: string, manifest: Manifest): string[] {
  return exactLists
    .flatMap((list) => Object.entries(manifest[list] ?? {}))
    .filter(([, version]) => !/^(npm:@?[^@]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${path} ${name}@${version} is not an exact version`)
}

function checkLock(root: string, path: string): string[] {
  const { packages = {} } = readJson<Lock>(root, path)
  const entries = Object.entries(packages)
  const addresses = entries.filter(([, { resolved }]) => /^\w+:\/\//.test(resolved ?? ''))
  const scripted = entries
    .filter(([, entry]) => entry.hasInstallScript)
    .map(([place]) => nameOf(place))
    .filter((name) => !Object.hasOwn(installScripts, name))
  return [
    ...addresses.map(([place]) => `${path} names the address that ${place} was loaded from`),
    ...scripted.map((name) => `${path} ${name} has an install script and no reason to`),
    ...checkOptional(path, packages),
    ...checkAgreement(root, path, packages),
  ]
}

/**
 * npm leaves out optional packages that the registry did not have on the day (a platform's binary,
 * published late), and `npm ci` then refuses the lock file as a whole: another version has to be
 * chosen.
 */
function checkOptional(path: string, packages: LockedPackages): string[] {
  const present = new Set(Object.keys(packages).map(nameOf))
  return Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) => {
    return Object.keys(optionalDependencies)
      .filter((name) => !present.has(name))
      .map((name) => `${path} ${place} wants ${name}, which has no entry: npm ci would refuse`)
  })
}

/** The package that is locked for a place in `node_modules`. */
function nameOf(place: string): string {
  return place.replace(/^.*node_modules\//, '')
}

/** `npm ci` refuses a lock file that lags behind a manifest; better to hear of it here. */
function checkAgreement(root: string, path: string, packages: LockedPackages) {
  const folder = posix.dirname(path)
  const own = readJson<Manifest>(root, posix.join(folder, 'package.json'))
  return ['', ...(own.workspaces ?? [])].flatMap((place) => {
    const manifestPath = posix.join(folder, place, 'package.json')
    const manifest = readJson<Manifest>(root, manifestPath)
    const locked = packages[place]
    const same = allLists.every((list) => listText(manifest[list]) === listText(locked?.[list]))
    return same ? [] : [`${path} does not agree with ${manifestPath}: run npm install`]
  })
}

function listText(list: DependencyList = {}): string {
  return Object.keys(list)
    .sort()
    .map((name) => `${name}@${list[name]}`)
    .join()
}

function checkPeersOfBench(root: string, manifests: string[]): string[] {
  const bench = 'bench/package.json'
  if (!manifests.includes(bench)) return []
  const peers = Object.keys(readJson<Manifest>(root, bench).dependencies ?? {})
  return manifests
    .filter((path) => !path.startsWith('bench/'))
    .flatMap((path) => {
      const manifest = readJson<Manifest>(root, path)
      return peers
        .filter((peer) => exactLists.some((list) => manifest[list]?.[peer] !== undefined))
        .map((peer) => `${path} depends on ${peer}, a peer of the benchmarks: only bench/ may`)
    })
}

function checkTexts(root: string, path: string): string[] {
  const lines = readFileSync(join(root, path), 'utf8').split('\n')
  return lines.flatMap((line, index) => {
    const found = foreignTexts.filter(({ pattern }) => pattern.test(line))
    return found.map(({ what }) => `${path}:${index + 1} names ${what}`)
  })
}

function readJson<Shape>(root: string, path: string): Shape {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}
