import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  ensureToken,
  prepareRunFolder,
  readToken,
  runFolder,
  writeAtomically,
} from './run-folder.ts'
import { removeSocketFolder, socketFolderFor } from './socket-folder.ts'

function project(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'covey-run-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

test('the folders are for their owner only, also when they were open before', (t) => {
  const base = project(t)
  const folder = runFolder(base)
  mkdirSync(folder.root)
  chmodSync(folder.root, 0o755)
  prepareRunFolder(folder)
  prepareRunFolder(folder)
  for (const path of [folder.root, folder.run, folder.log]) assert.equal(modeOf(path), '700')
})

test('a file or a link in place of a folder is refused', (t) => {
  const base = project(t)
  const folder = runFolder(base)
  writeFileSync(folder.root, '')
  assert.throws(() => prepareRunFolder(folder), {
    code: 'START_FAILED',
    message: /\.covey cannot be used/,
  })
  rmSync(folder.root)
  mkdirSync(join(base, 'elsewhere'))
  symlinkSync(join(base, 'elsewhere'), folder.root)
  assert.throws(() => prepareRunFolder(folder), /it is not a folder/)
})

test('the token is made once, secret, and made anew when it was damaged', (t) => {
  const folder = runFolder(project(t))
  assert.equal(readToken(folder), undefined)
  prepareRunFolder(folder)
  const token = ensureToken(folder)
  assert.equal(Buffer.from(token, 'base64url').length, 32)
  assert.equal(modeOf(folder.tokenFile), '600')
  chmodSync(folder.tokenFile, 0o644)
  assert.equal(ensureToken(folder), token)
  assert.equal(modeOf(folder.tokenFile), '600')
  assert.equal(readToken(folder), token)
  writeFileSync(folder.tokenFile, 'short')
  assert.notEqual(ensureToken(folder), 'short')
})

test('an atomic write leaves nothing else behind, and follows no link', (t) => {
  const base = project(t)
  const path = join(base, 'state.json')
  writeAtomically(path, 'one')
  writeAtomically(path, 'two')
  assert.equal(readFileSync(path, 'utf8'), 'two')
  const victim = join(base, 'victim')
  writeFileSync(victim, 'untouched')
  symlinkSync(victim, `${path}.${process.pid}.tmp`)
  writeAtomically(path, 'three')
  assert.equal(readFileSync(victim, 'utf8'), 'untouched')
  assert.deepEqual(readdirSync(base).sort(), ['state.json', 'victim'])
})

test('sockets lie in the run folder, or in a short private one where that is too long', (t) => {
  const base = project(t)
  assert.equal(socketFolderFor(base, ['user-0']), base)
  const deep = join(base, 'x'.repeat(90))
  const short = socketFolderFor(deep, ['user-0', 'gateway-0'])
  assert.ok(Buffer.byteLength(join(short, 'gateway-0.sock')) <= 100)
  assert.equal(modeOf(short), '700')
  writeFileSync(join(short, 'user-0.sock'), '')
  removeSocketFolder(short)
  assert.equal(existsSync(short), false)
})

test('only folders of sockets are removed', (t) => {
  const base = project(t)
  const other = join(base, 'other')
  mkdirSync(other)
  removeSocketFolder(other)
  assert.ok(existsSync(other))
  const mixed = join(base, 'covey-mixed')
  mkdirSync(mixed)
  writeFileSync(join(mixed, 'precious'), '')
  removeSocketFolder(mixed)
  assert.ok(existsSync(join(mixed, 'precious')))
  removeSocketFolder(join(base, 'covey-none'))
})
