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
  readonly language: 'ts' | 'sh'
  readonly code: string
  /** What the block behind it, marked `prints`, says. */
  readonly prints: string | undefined
}

/** Blocks marked `ts run` or `sh run` are whole programs; one marked `text prints` right behind shows their output. */
function programsIn(page: string, text: string): Program[] {
  const block = /^```(ts|sh) run\n([\s\S]*?)^```\n(?:\s*```text prints\n([\s\S]*?)^```)?/gm
  return [...text.matchAll(block)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length
    const language = match[1] as Program['language']
    return { place: `${page}:${line}`, language, code: match[2]!, prints: match[3] }
  })
}

/** Programs run in this checkout, scripts of the shell in a folder of their own. */
async function output({ language, code }: Program, directory: string): Promise<string> {
  // One of them runs the 75 tests of the suite for transports.
  const limit = { timeout: 60_000 }
  if (language === 'sh') {
    return (await run('sh', ['-ec', code], { cwd: directory, ...limit })).stdout
  }
  const { NODE_TEST_CONTEXT: _, ...own } = process.env
  const env = { ...own, COVEY__REGISTRY: `file:${directory}/registry` }
  const args = ['--input-type=module-typescript', '--eval', code]
  return (await run(process.execPath, args, { env, cwd: root, ...limit })).stdout
}

async function pages(): Promise<string[]> {
  const names = await readdir(join(root, 'docs'))
  const docs = names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
  return ['README.md', 'ARCHITECTURE.md', ...docs]
}

for (const page of await pages()) {
  const text = await readFile(join(root, page), 'utf8')
  for (const program of programsIn(page, text)) {
    const { place, prints } = program
    test(`the program at ${place} runs as it stands`, { timeout: 70_000 }, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'covey-docs-'))
      try {
        const lines = (await output(program, directory)).split('\n')
        const shown = lines.filter((line) => !line.startsWith('{"level"'))
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
