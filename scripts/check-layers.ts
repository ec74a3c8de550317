import { isBuiltin } from 'node:module'
import { type Findings, reportChecks, repositoryRoot } from './findings.ts'
import { findImportCycles, shortestWay } from './import-cycles.ts'
import { createImportGraph, type Import, type ImportGraph } from './import-graph.ts'
import { isTest, readSources } from './source-file.ts'

const src = 'packages/covey/src/'
const browserEntry = `${src}client/index.ts`

/**
 * The only file that may name drivers, by `import()`: the table from URL scheme to driver (design,
 * section 1).
 */
const driverTable = `${src}app/driver-table.ts`

/** The layers of `packages/covey/src`, lowest first (design, section 3). */
const layers = [
  ['base', 'error'],
  ['call', 'codec', 'settings', 'observe'],
  ['contract', 'discovery', 'cache', 'queue', 'event', 'lock', 'database', 'concurrency'],
  ['middleware', 'balance', 'transport', 'outbox', 'saga', 'schedule'],
  ['rpc'],
  ['app', 'supervisor', 'gateway', 'client'],
  ['cli'],
]

/**
 * `drivers/` and `testing/` stand beside the layers and may use all of them; nothing in the layers
 * may use them.
 */
const leaves = ['drivers', 'testing']

/** Packages that a page may load with `covey/client`: small, without dependencies, without Node. */
const browserPackages = ['@standard-schema/spec', 'msgpackr']

if (import.meta.main) {
  const check = { name: 'layers', run: checkLayers }
  process.exitCode = (await reportChecks([check], repositoryRoot)) ? 0 : 1
}

/**
 * Holds the shape of the source: imports of the framework point down the layers, no file anywhere
 * is part of an import cycle, drivers are named by the URL table alone, and what a browser loads
 * needs neither Node nor a vendor. Type imports count, for they bind as much; tests may import what
 * they like.
 */
export function checkLayers(root: string): Findings {
  const files = readSources(root)
  const graph = createImportGraph(files)
  const imports = [...graph.values()].flat().filter(({ from }) => !isTest(from))
  const problems = [
    ...unknownFolders([...graph.keys()]),
    ...imports.flatMap(checkDirection),
    ...checkDriverPackages(imports),
    ...findImportCycles(graph).map((cycle) => `${cycle[0]} import cycle: ${cycle.join(' → ')}`),
    ...checkBrowser(graph),
  ]
  return { problems, warnings: [], note: `${files.length} files, ${imports.length} imports` }
}

function unknownFolders(paths: string[]): string[] {
  const known = new Set([...layers.flat(), ...leaves, 'index.ts'])
  return paths
    .filter((path) => path.startsWith(src) && !known.has(topOf(path)))
    .map((path) => `${path} is in no folder of the layer table (scripts/check-layers.ts)`)
}

/** One import of a file of the framework against the table. */
function checkDirection({ from, target, line, kind }: Import): string[] {
  if (!from.startsWith(src) || !target?.startsWith(src)) return []
  const [own, other] = [topOf(from), topOf(target)]
  const at = `${from}:${line}`
  if (other === 'testing') return [`${at} imports the test kit, which only tests may`]
  if (other === 'drivers') {
    if (vendorOf(from) === vendorOf(target)) return []
    if (from === driverTable && kind === 'dynamic') return []
    return [`${at} imports ${target}: only ${driverTable} names drivers, by import()`]
  }
  if (own === other || own === 'index.ts' || leaves.includes(own)) return []
  if (other === 'index.ts') return [`${at} imports the top, src/index.ts`]
  const [ownLayer, otherLayer] = [layerOf(own), layerOf(other)]
  if (ownLayer === -1 || otherLayer === -1 || otherLayer < ownLayer) return []
  const direction = otherLayer === ownLayer ? 'sideways' : 'up'
  return [
    `${at} imports ${direction}: ${own}/ is layer ${ownLayer}, ${other}/ is layer ${otherLayer}`,
  ]
}

/** A client library that a driver folder uses is named nowhere else in the framework. */
function checkDriverPackages(imports: Import[]): string[] {
  const home = new Map<string, string>()
  const vendored = imports.filter(({ from, target, specifier }) => {
    return from.startsWith(src) && target === undefined && !isBuiltin(specifier)
  })
  for (const { from, specifier } of vendored) {
    const vendor = vendorOf(from)
    if (vendor) home.set(packageOf(specifier), vendor)
  }
  return vendored.flatMap(({ from, specifier, line }) => {
    const vendor = home.get(packageOf(specifier))
    if (vendor === undefined || vendor === vendorOf(from)) return []
    return [`${from}:${line} imports ${specifier}, which belongs to drivers/${vendor}/`]
  })
}

/** Follows the imports that a browser would load; those of types are gone by then. */
function checkBrowser(graph: ImportGraph): string[] {
  const loads = (kind: Import['kind']) => kind !== 'type'
  return [...graph.values()].flat().flatMap((entry) => {
    const { from, specifier, target, kind, line } = entry
    if (target !== undefined || !loads(kind) || isTest(from)) return []
    const isNode = isBuiltin(specifier)
    if (!isNode && browserPackages.includes(packageOf(specifier))) return []
    const way = from === browserEntry ? [from] : shortestWay(graph, browserEntry, from, loads)
    if (!way) return []
    const path = way.map((file) => file.replace(src, '')).join(' → ')
    const what = isNode ? 'a module of Node' : 'no package for browsers'
    return [`${from}:${line} imports ${specifier}, ${what}, and a browser loads it: ${path}`]
  })
}

/** The first folder below `src`, or the file's own name at its top. */
function topOf(path: string): string {
  return path.slice(src.length).split('/')[0] ?? ''
}

function layerOf(folder: string): number {
  return layers.findIndex((folders) => folders.includes(folder))
}

/** `redis` of `…/src/drivers/redis/cache.ts`. */
function vendorOf(path: string): string | undefined {
  return path.startsWith(`${src}drivers/`) ? path.slice(src.length).split('/')[1] : undefined
}

/** `@fastify/static` of `@fastify/static/types.js`. */
function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}
