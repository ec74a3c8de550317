import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { findFlaw, isPlainObject } from './plain-data.ts'
import type { SettingsProblem } from './settings-problem.ts'

/** Largest settings file, in bytes. */
export const maxFileBytes = 1024 * 1024

/** Aliases times what they stand for, over a whole file; more is an attack on memory. */
const maxAliasCount = 100

/** One source of settings: groups of plain objects, sections at the top. */
export interface SettingsLayer {
  readonly data: Readonly<Record<string, unknown>>
  /** Where the value at a path stands: `config.yaml:12`. */
  sourceOf(path: readonly string[]): string
}

/** A settings file: its layer, unless problems say why it cannot be used. */
export interface SettingsFile {
  readonly layer?: SettingsLayer
  readonly problems: readonly SettingsProblem[]
}

/** Instead of texts of the YAML library that quote the file, which may hold a secret there, or that speak of its API. */
const plainWords: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'an alias (*name) is malformed',
  BAD_COLLECTION_TYPE: 'tags (!name) are not supported',
  BAD_DIRECTIVE: 'a directive (%NAME) is malformed',
  BAD_DQ_ESCAPE: 'a \\ in double quotes begins no known escape; use single quotes, or \\\\',
  MULTIPLE_DOCS: 'a second document begins here; take out the line ---',
  TAG_RESOLVE_FAILED: 'tags (!name) are not supported; put quotes around a text that begins with !',
  UNEXPECTED_TOKEN: 'this text was not expected here; quotes or a new line may be missing',
}

/**
 * Reads a YAML file of settings. Nothing of its text gets into a problem but names of keys.
 *
 * @param name as people know it: relative to `cwd` or absolute
 * @param required whether it is a problem when the file does not exist
 */
export async function readSettingsFile(
  name: string,
  cwd: string,
  required: boolean,
): Promise<SettingsFile> {
  let bytes: Uint8Array
  try {
    bytes = await readAtMost(resolve(cwd, name), maxFileBytes + 1)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return required ? refused(name, 'the file does not exist') : absent
    return refused(name, `the file cannot be read (${code ?? error})`)
  }
  if (bytes.length > maxFileBytes) return refused(name, 'the file is larger than 1 MiB')
  if (!isUtf8(bytes)) return refused(name, 'the file is not UTF-8 text')
  return parseSettings(name, new TextDecoder().decode(bytes))
}

const absent: SettingsFile = { problems: [] }

/** Checks the text of a settings file and makes plain data of it. */
export function parseSettings(name: string, text: string): SettingsFile {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    resolveKnownTags: false,
    stringKeys: true,
    // The library compares every key with every other one; `repeatedKeys` takes one pass.
    uniqueKeys: false,
  })
  const flaws = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    offset: pos[0],
    message: plainWords[code] ?? message,
  }))
  if (flaws.length === 0) flaws.push(...repeatedKeys(document.contents))
  if (flaws.length > 0) return { problems: flaws.slice(0, 20).map(at) }

  function at({ offset, message }: Flaw): SettingsProblem {
    const { line, col } = lines.linePos(offset)
    return { path: '', source: `${name}:${line}:${col}`, message }
  }
  return toLayer(name, document, lines)
}

interface Flaw {
  readonly offset: number
  readonly message: string
}

function toLayer(name: string, document: Document.Parsed, lines: LineCounter): SettingsFile {
  const sourceOf = (path: readonly string[]) => {
    const offset = offsetOf(document, path)
    return offset === undefined ? name : `${name}:${lines.linePos(offset).line}`
  }
  let data: unknown
  try {
    data = document.toJS({ maxAliasCount }) ?? {}
  } catch {
    return refused(name, 'an alias (*name) has no anchor (&name) before it, or there are too many')
  }
  if (!isPlainObject(data)) return refused(name, 'the top of the file has to be names of sections')
  const flaw = findFlaw(data)
  if (flaw === undefined) return { layer: { data, sourceOf }, problems: [] }
  const { path, message } = flaw
  return { problems: [{ path: path.join('.'), source: sourceOf(path), message }] }
}

function refused(source: string, message: string): SettingsFile {
  return { problems: [{ path: '', source, message }] }
}

function* repeatedKeys(node: unknown): Generator<Flaw> {
  if (isSeq(node)) for (const item of node.items) yield* repeatedKeys(item)
  if (!isMap(node)) return
  const seen = new Set<unknown>()
  for (const { key, value } of node.items) {
    if (isScalar(key)) {
      if (seen.has(key.value)) {
        yield { offset: key.range?.[0] ?? 0, message: 'this key stands twice in its group' }
      }
      seen.add(key.value)
    }
    yield* repeatedKeys(value)
  }
}

/** Where the key at a path begins, or the last part of the path that the file has. */
function offsetOf(document: Document.Parsed, path: readonly string[]): number | undefined {
  let node: unknown = document.contents
  let offset: number | undefined
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key)
      if (pair === undefined || !isScalar(pair.key)) return offset
      offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(key)]
      offset = (node as { range?: readonly number[] } | undefined)?.range?.[0] ?? offset
    } else return offset
  }
  return offset
}

/** The beginning of a file, or of whatever else can be read under this path, such as a pipe. */
async function readAtMost(path: string, maxBytes: number): Promise<Uint8Array> {
  await using file = await open(path, 'r')
  const bytes = new Uint8Array(maxBytes)
  let length = 0
  while (length < maxBytes) {
    const { bytesRead } = await file.read(bytes, length, maxBytes - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}
