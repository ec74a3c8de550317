import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))

interface Program {
  /** `docs/rpc.md:17` */
  readonly place: string
  readonly code: string
  /** What the block behind it, marked `prints`, says. */
  readonly prints: string | undefined
}

/** Blocks marked `ts run` are whole programs; one marked `text prints` right behind shows their output. */
function programsIn(page: string, text: string): Program[] {
  const block = /^```ts run\n([\s\S]*?)^```\n(?:\s*```text prints\n([\s\S]*?)^```)?/gm
  return [...text.matchAll(block)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length
    return { place: `${page}:${line}`, code: match[1]!, prints: match[2] }
  })
}

async function pages(): Promise<string[]> {
  const names = await readdir(join(root, 'docs'))
  const docs = names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
  return ['README.md', 'ARCHITECTURE.md', ...docs]
}

for (const page of await pages()) {
  const text = await readFile(join(root, page), 'utf8')
  for (const { place, code, prints } of programsIn(page, text)) {
    test(`the program at ${place} runs as it stands`, { timeout: 30_000 }, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'covey-docs-'))
      const env = { ...process.env, COVEY__REGISTRY: `file:${directory}/registry` }
      try {
        const args = ['--input-type=module-typescript', '--eval', code]
        const { stdout } = await run(process.execPath, args, { env, cwd: root, timeout: 20_000 })
        const shown = stdout.split('\n').filter((line) => !line.startsWith('{"level"'))
        if (prints !== undefined) assert.equal(shown.join('\n'), prints)
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    })
  }

  test(`the links of ${page} lead somewhere`, async () => {
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      const path = join(root, dirname(page), target!)
      await assert.doesNotReject(stat(path), `${page} links to ${target}`)
    }
  })
}
