import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { trackedFiles } from './tracked-files.ts'

/** A TypeScript or JavaScript file of the repository. */
export interface SourceFile {
  /** Relative to the repository's root, with forward slashes. */
  path: string
  text: string
  lines: string[]
}

/** Every tracked TypeScript and JavaScript file below `root` for which `accept` says yes. */
export function readSources(
  root: string,
  accept: (path: string) => boolean = () => true,
): SourceFile[] {
  return trackedFiles(root)
    .filter((path) => /\.[cm]?[jt]sx?$/.test(path) && !path.endsWith('.d.ts') && accept(path))
    .map((path) => readSource(root, path))
}

function readSource(root: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  return { path, text, lines: text.replace(/\n$/, '').split('\n') }
}

/**
 * Tests, long-running tests and everything of the published test kit: leaves, which no other source
 * may need.
 */
export function isTest(path: string): boolean {
  return /\.(test|soak|bench)\.[cm]?[jt]sx?$/.test(path) || path.includes('/testing/')
}

/** The line, counted from 1, of a position in the file's text. */
export function lineAt(file: SourceFile, offset: number): number {
  let line = 1
  for (let at = file.text.indexOf('\n'); at !== -1 && at < offset; line++) {
    at = file.text.indexOf('\n', at + 1)
  }
  return line
}
