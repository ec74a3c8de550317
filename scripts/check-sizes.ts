import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type Findings, reportChecks, repositoryRoot } from './findings.ts'
import { type FunctionSize, measureFunctions } from './measure-functions.ts'
import { isTest, readSources, type SourceFile } from './source-file.ts'
import { trackedFiles } from './tracked-files.ts'

/** The limits of style rule 2: past `warn` a reason is wanted, past `most` the check fails. */
const fileLines = { warn: 300, most: 500 }
const functionLines = { warn: 40, most: 80 }
const nesting = { warn: 3, most: 4 }

/** Style rule 21. */
const anyPerThousandLines = 2

/** Style rule 1: a name that says nothing about what is inside. */
const emptyName =
  /^(common|misc|types|interfaces)$|\.types$|(^|[-.])(utils?|helpers?|impl|manager|abstract)$/

/**
 * A line of its own, with the reason why this file or the function below it is longer than it
 * should be.
 */
const reason = /^\s*\/\/ size: \S/

if (import.meta.main) {
  const check = { name: 'sizes', run: checkSizes }
  process.exitCode = (await reportChecks([check], repositoryRoot)) ? 0 : 1
}

/**
 * Holds style rules 1, 2, 7 and 21: files, functions and nesting stay small, names say something,
 * indexes are explicit and stand only where a subpath is published, `any` is rare.
 *
 * `// size: <reason>` on a line of the file lifts the warning about the file; right above a
 * function it lifts that function's limits, for the few that are better long (the frame decoder,
 * the one function of rule 8).
 */
export function checkSizes(root: string): Findings {
  const files = readSources(root)
  const findings: Findings = { problems: [], warnings: [], note: '' }
  let anyCount = 0
  let lines = 0
  for (const file of files) {
    const measure = measureFunctions(file)
    checkFile(file, findings)
    for (const size of measure.functions) checkFunction(file, size, findings)
    for (const line of measure.exportAllLines) {
      findings.problems.push(`${file.path}:${line} export *: name what is exported`)
    }
    anyCount += measure.anyCount
    lines += file.lines.length
  }
  const rate = (anyCount * 1000) / Math.max(lines, 1000)
  if (rate >= anyPerThousandLines) {
    findings.problems.push(
      `any stands ${anyCount} times in ${lines} lines: keep it under 2 in 1,000`,
    )
  }
  findings.problems.push(...checkNames(files), ...checkIndexes(root))
  findings.note = `${files.length} files, ${lines} lines, ${rate.toFixed(1)} any per 1,000`
  return findings
}

function checkFile({ path, lines }: SourceFile, { problems, warnings }: Findings): void {
  if (lines.length > fileLines.most) {
    problems.push(`${path} has ${lines.length} lines (at most ${fileLines.most})`)
  } else if (lines.length > fileLines.warn && !lines.some((line) => reason.test(line))) {
    warnings.push(`${path} has ${lines.length} lines (about ${fileLines.warn})`)
  }
}

function checkFunction(
  file: SourceFile,
  size: FunctionSize,
  { problems, warnings }: Findings,
): void {
  if (isTest(file.path) && !size.isDeclaration) return
  if (reason.test(file.lines[size.firstLine - 2] ?? '')) return
  const at = `${file.path}:${size.firstLine} ${size.name}`
  const lines = `${at} has ${size.lines} lines`
  if (size.lines > functionLines.most) problems.push(`${lines} (at most ${functionLines.most})`)
  else if (size.lines > functionLines.warn) warnings.push(`${lines} (about ${functionLines.warn})`)
  const depth = `${at} nests ${size.nesting} deep`
  if (size.nesting > nesting.most) problems.push(`${depth} (at most ${nesting.most})`)
  else if (size.nesting > nesting.warn) warnings.push(`${depth} (about ${nesting.warn})`)
}

function checkNames(files: SourceFile[]): string[] {
  return files.flatMap(({ path }) => {
    const names = path.replace(/(\.test)?\.\w+$/, '').split('/')
    const bad = names.find((name) => emptyName.test(name))
    return bad ? [`${path} is named "${bad}": name it after the one concept inside`] : []
  })
}

/**
 * Style rule 7: in a published package an `index.ts` stands for a subpath of `exports`, and nowhere
 * else.
 */
function checkIndexes(root: string): string[] {
  const files = trackedFiles(root)
  return files
    .filter((path) => /^packages\/[^/]+\/src\/.*\bindex\.tsx?$/.test(path))
    .flatMap((path) => {
      const folder = path.split('/').slice(0, 2).join('/')
      const published = publishedFiles(join(root, folder, 'package.json'))
      if (!published || published.has(posix.relative(folder, path))) return []
      return [`${path} is the index of no published subpath: import the files themselves`]
    })
}

function publishedFiles(manifest: string): Set<string> | undefined {
  if (!existsSync(manifest)) return undefined
  const { exports } = JSON.parse(readFileSync(manifest, 'utf8'))
  const texts = JSON.stringify(exports ?? {}).matchAll(/"\.\/([^"]+)"/g)
  return new Set(Array.from(texts, ([, file]) => file ?? ''))
}
