import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A folder of a test's own, which is gone when the test's scope ends. */
export interface FixtureTree extends Disposable {
  root: string
  /** Writes one more file, or over one. */
  write(path: string, text: string): void
}

/**
 * Makes a small tree of files, by path, in a new temporary folder: `using tree =
 * createFixtureTree({ 'a.ts': '…' })`.
 */
export function createFixtureTree(files: Record<string, string>): FixtureTree {
  const root = mkdtempSync(join(tmpdir(), 'covey-fixture-'))
  function write(path: string, text: string): void {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  for (const [path, text] of Object.entries(files)) write(path, text)
  return {
    root,
    write,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}
