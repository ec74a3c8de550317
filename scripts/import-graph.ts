import { posix } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import { lineAt, type SourceFile } from './source-file.ts'

/**
 * One file's mention of another module: an import, a re-export, an `import()` or an `import('…')`
 * type.
 */
export interface Import {
  /** The importing file, relative to the root. */
  from: string
  /** As written: `./ring.ts`, `node:net`, `fastify`. */
  specifier: string
  /** The imported file, relative to the root; undefined for packages and Node's own modules. */
  target: string | undefined
  line: number
  kind: 'value' | 'type' | 'dynamic'
}

/** Every import of every file, by importing file, in the order of the text. */
export type ImportGraph = Map<string, Import[]>

/** Reads the imports of all files; an `import()` of a computed name is not seen. */
export function createImportGraph(files: readonly SourceFile[]): ImportGraph {
  return new Map(files.map((file) => [file.path, importsOf(file)]))
}

function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = []
  const add = (source: Source | null, isType: boolean, offset: number, dynamic = false) => {
    if (typeof source?.value !== 'string') return
    const kind = isType ? 'type' : dynamic ? 'dynamic' : 'value'
    const specifier = source.value
    const target = resolve(file.path, specifier)
    imports.push({ from: file.path, specifier, target, line: lineAt(file, offset), kind })
  }
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind === 'type', node.start),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === 'type', node.start),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === 'type', node.start),
    ImportExpression: (node) => add(literal(node.source), false, node.start, true),
    TSImportType: (node) => add(literal(node.source), true, node.start),
  }).visit(parseSync(file.path, file.text).program)
  return imports
}

interface Source {
  value: unknown
}

function literal(node: object): Source | null {
  return 'value' in node ? { value: node.value } : null
}

function resolve(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('./') && !specifier.startsWith('../')) return undefined
  return posix.join(posix.dirname(from), specifier)
}
