import { createHash } from 'node:crypto'
import { type Findings, reportChecks, repositoryRoot } from './findings.ts'
import { isTest, readSources, type SourceFile } from './source-file.ts'

/**
 * A run of this many equal lines of code is worth one place of its own; shorter ones are often a
 * coincidence.
 */
const leastLines = 12

if (import.meta.main) {
  const check = { name: 'duplicates', run: checkDuplicates }
  process.exitCode = (await reportChecks([check], repositoryRoot)) ? 0 : 1
}

interface CodeLine {
  text: string
  /** Counted from 1, in the file. */
  number: number
}

interface CodeFile {
  path: string
  code: CodeLine[]
}

interface Place {
  file: CodeFile
  /** Where the run begins, as an index of `file.code`. */
  at: number
}

/**
 * Finds runs of 12 and more lines of code that stand twice, in two files or in one. Blank lines,
 * comments, imports and lines of mere punctuation do not count, and white space is folded. Tests
 * may repeat themselves, for they are read one at a time; so may benchmarks, where each peer is
 * used as its own documentation does.
 */
export function checkDuplicates(root: string): Findings {
  const sources = readSources(root, (path) => !isTest(path) && !path.startsWith('bench/'))
  const problems: string[] = []
  const seen = new Map<string, Place>()
  for (const file of sources.map(readCode)) {
    for (let at = 0; at + leastLines <= file.code.length; at++) {
      const key = hashRun(file, at)
      const first = seen.get(key)
      if (!first) seen.set(key, { file, at })
      else if (first.file !== file || at >= first.at + leastLines) {
        const length = runLength(first, { file, at })
        problems.push(describe(first, { file, at }, length))
        at += length - 1
      }
    }
  }
  return { problems, warnings: [], note: `${sources.length} files` }
}

function readCode({ path, lines }: SourceFile): CodeFile {
  const code = lines
    .map((line, index) => ({ text: line.trim().replace(/\s+/g, ' '), number: index + 1 }))
    .filter(({ text }) => /\w/.test(text) && !/^(\/\/|\/?\*|import\b|\} from )/.test(text))
  return { path, code }
}

function hashRun({ code }: CodeFile, at: number): string {
  const hash = createHash('sha1')
  for (let index = at; index < at + leastLines; index++) hash.update(`${code[index]?.text}\n`)
  return hash.digest('base64')
}

/** How many lines are equal from here on; a run in one file ends before it overlaps itself. */
function runLength(first: Place, second: Place): number {
  let length = leastLines
  const most = first.file === second.file ? second.at - first.at : Number.POSITIVE_INFINITY
  while (length < most) {
    const line = first.file.code[first.at + length]
    if (line === undefined || line.text !== second.file.code[second.at + length]?.text) break
    length++
  }
  return length
}

function describe(first: Place, second: Place, length: number): string {
  return `${range(second, length)} repeats ${range(first, length)}: ${length} lines of code`
}

function range({ file, at }: Place, length: number): string {
  return `${file.path}:${file.code[at]?.number}-${file.code[at + length - 1]?.number}`
}
