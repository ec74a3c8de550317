import type { ImportGraph } from './import-graph.ts'

/**
 * The import cycles of the graph, type imports and `import()` included: for each knot of files that
 * reach each other, one shortest cycle through its alphabetically first file, as a path that begins
 * and ends there.
 */
export function findImportCycles(graph: ImportGraph): string[][] {
  const done = new Set<string>()
  const cycles: string[][] = []
  for (const start of [...graph.keys()].sort()) {
    if (done.has(start)) continue
    const cycle = shortestWay(graph, start, start)
    if (!cycle) continue
    cycles.push(cycle)
    for (const file of cycle) done.add(file)
  }
  return cycles
}

/**
 * The shortest way along imports from one file to another, both ends included, at least one import
 * long. `follow` narrows which imports count.
 */
export function shortestWay(
  graph: ImportGraph,
  from: string,
  to: string,
  follow: (kind: 'value' | 'type' | 'dynamic') => boolean = () => true,
): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [from]
  for (const file of queue) {
    for (const { target, kind } of graph.get(file) ?? []) {
      if (target === undefined || !follow(kind)) continue
      if (target === to) return trace(cameFrom, from, file, to)
      if (cameFrom.has(target) || target === from) continue
      cameFrom.set(target, file)
      queue.push(target)
    }
  }
  return undefined
}

function trace(cameFrom: Map<string, string>, from: string, last: string, to: string): string[] {
  const way = [to]
  for (let file = last; file !== from; file = cameFrom.get(file) ?? from) way.unshift(file)
  return [from, ...way]
}
