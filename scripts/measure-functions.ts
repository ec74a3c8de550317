import { parseSync, Visitor, type VisitorObject } from 'oxc-parser'
import { lineAt, type SourceFile } from './source-file.ts'

/** The size of one function, its inner functions' lines included, their nesting not. */
export interface FunctionSize {
  /** The declared or assigned name, or `a function`. */
  name: string
  /** Whether it is a declaration or a method: the callbacks of tests are neither. */
  isDeclaration: boolean
  firstLine: number
  lines: number
  /**
   * How deep `if`, loops and `switch` stand in each other. `else if` goes no deeper; `try` does not
   * count.
   */
  nesting: number
}

/** What a file's syntax tree tells about its size and shape. */
export interface FileMeasure {
  functions: FunctionSize[]
  /** Lines with an `export * from`. */
  exportAllLines: number[]
  anyCount: number
}

/** Parses one file and measures it. */
export function measureFunctions(file: SourceFile): FileMeasure {
  const measure: FileMeasure = { functions: [], exportAllLines: [], anyCount: 0 }
  const names = new Map<object, string>()
  new Visitor({
    ...noteNames(names),
    ...noteSizes(file, names, measure.functions),
    ExportAllDeclaration(node) {
      if (!node.exported) measure.exportAllLines.push(lineAt(file, node.start))
    },
    TSAnyKeyword() {
      measure.anyCount++
    },
  }).visit(parseSync(file.path, file.text).program)
  return measure
}

/**
 * Notes what a function is called by the place it stands in, before the function itself is visited.
 */
function noteNames(names: Map<object, string>): VisitorObject {
  const note = (key: object | null, value: object | null) => {
    if (key && value && 'name' in key) names.set(value, String(key.name))
  }
  return {
    VariableDeclarator: (node) => note(node.id, node.init),
    Property: (node) => note(node.key, node.value),
    PropertyDefinition: (node) => note(node.key, node.value),
    MethodDefinition: (node) => note(node.key, node.value),
  }
}

interface Span {
  start: number
  end: number
}

function noteSizes(
  file: SourceFile,
  names: Map<object, string>,
  functions: FunctionSize[],
): VisitorObject {
  const open: { depth: number; deepest: number }[] = []
  const elseIfs = new Set<object>()
  const enter = () => {
    open.push({ depth: 0, deepest: 0 })
  }
  const leave = (node: Span & { type: string; id?: { name: string } | null }) => {
    const firstLine = lineAt(file, node.start)
    const lines = lineAt(file, node.end) - firstLine + 1
    const name = node.id?.name ?? names.get(node) ?? 'a function'
    const isDeclaration = node.type === 'FunctionDeclaration' || names.has(node)
    functions.push({ name, isDeclaration, firstLine, lines, nesting: open.pop()?.deepest ?? 0 })
  }
  const deeper = () => {
    const current = open.at(-1)
    if (current) current.deepest = Math.max(current.deepest, ++current.depth)
  }
  const back = () => {
    const current = open.at(-1)
    if (current) current.depth--
  }
  return {
    ...forEach(
      ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'],
      enter,
      leave,
    ),
    ...forEach(['ForStatement', 'ForInStatement', 'ForOfStatement'], deeper, back),
    ...forEach(['WhileStatement', 'DoWhileStatement', 'SwitchStatement'], deeper, back),
    IfStatement(node) {
      if (node.alternate?.type === 'IfStatement') elseIfs.add(node.alternate)
      if (!elseIfs.has(node)) deeper()
    },
    'IfStatement:exit'(node) {
      if (!elseIfs.has(node)) back()
    },
  }
}

/** The same two handlers for several kinds of syntax. */
function forEach<Node>(
  types: readonly string[],
  enter: () => void,
  leave: (node: Node) => void,
): VisitorObject {
  return Object.fromEntries(
    types.flatMap((type) => [
      [type, enter],
      [`${type}:exit`, leave],
    ]),
  )
}
