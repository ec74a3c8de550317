import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { identifyProcess } from './process-identity.ts'
import { prepareRunFolder, runFolder } from './run-folder.ts'
import { claimRecord, findSupervisor, type SupervisorRecord } from './supervisor-record.ts'

const facts = { fleet: 'chat', url: 'http://127.0.0.1:9501', socketFolder: null }

function emptyFolder(t: TestContext) {
  const base = mkdtempSync(join(tmpdir(), 'covey-record-'))
  t.after(() => rmSync(base, { recursive: true }))
  const folder = runFolder(base)
  prepareRunFolder(folder)
  return folder
}

test('one supervisor gets the place; a second is told who has it', (t) => {
  const folder = emptyFolder(t)
  assert.deepEqual(findSupervisor(folder), { kind: 'none' })
  const release = claimRecord(folder, facts, () => assert.fail('nothing is stale'))
  const found = findSupervisor(folder)
  assert.ok(found.kind === 'running')
  assert.deepEqual(found.record, { ...identifyProcess(process.pid), ...facts })
  assert.equal((statSync(folder.recordFile).mode & 0o777).toString(8), '600')
  assert.throws(() => claimRecord(folder, facts, () => {}), {
    code: 'ALREADY_EXISTS',
    message: `the fleet "chat" runs here already, with pid ${process.pid}; its console is http://127.0.0.1:9501; "covey stop" stops it`,
  })
  release()
  assert.deepEqual(findSupervisor(folder), { kind: 'none' })
  assert.deepEqual(readdirSync(folder.run), [])
})

test('the record of a dead supervisor is taken over, also when another process has its number', async (t) => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const dead = { ...identifyProcess(child.pid!), ...facts, socketFolder: '/tmp/covey-x' }
  child.kill('SIGKILL')
  await once(child, 'exit')
  const reused = { ...dead, pid: process.pid }
  for (const record of [dead, reused]) {
    const folder = emptyFolder(t)
    writeFileSync(folder.recordFile, JSON.stringify(record))
    assert.equal(findSupervisor(folder).kind, 'stale')
    const stale: (SupervisorRecord | undefined)[] = []
    claimRecord(folder, facts, (found) => stale.push(found))
    assert.deepEqual(stale, [record])
    assert.equal(findSupervisor(folder).kind, 'running')
    assert.deepEqual(readdirSync(folder.run), ['supervisor.json'])
  }
})

test('a damaged record is taken over', (t) => {
  for (const text of ['', '{"pid":', '{"pid":"7"}', '[]', '{"pid":99999999,"startTime":"x"}']) {
    const folder = emptyFolder(t)
    writeFileSync(folder.recordFile, text)
    assert.deepEqual(findSupervisor(folder), { kind: 'stale', record: undefined })
    claimRecord(folder, facts, () => {})
    assert.equal(findSupervisor(folder).kind, 'running')
  }
})

test('nobody takes away the record of another', (t) => {
  const folder = emptyFolder(t)
  const release = claimRecord(folder, facts, () => {})
  const other = { ...JSON.parse(readFileSync(folder.recordFile, 'utf8')), pid: process.ppid }
  writeFileSync(folder.recordFile, JSON.stringify({ ...other, ...identifyProcess(process.ppid) }))
  release()
  assert.ok(existsSync(folder.recordFile))
})

test('a start that died while it looked holds nobody up, one that stands still is named', (t) => {
  const folder = emptyFolder(t)
  const claim = `${folder.recordFile}.claim`
  const written = (identity: object) => JSON.stringify({ ...identity, ...facts })
  writeFileSync(claim, written({ pid: 99_999_999, startTime: 'x' }))
  const release = claimRecord(folder, facts, () => {})
  assert.equal(findSupervisor(folder).kind, 'running')
  assert.equal(existsSync(claim), false)
  release()
  writeFileSync(claim, written(identifyProcess(process.ppid)!))
  assert.throws(() => claimRecord(folder, facts, () => {}, 20), {
    code: 'START_FAILED',
    message: new RegExp(`^process ${process.ppid} has been starting .* kill -9 ${process.ppid}$`),
  })
  assert.equal(findSupervisor(folder).kind, 'none')
  assert.equal(existsSync(claim), true)
})

test('of many that start at once over a dead one, exactly one gets the place', async (t) => {
  const folder = emptyFolder(t)
  writeFileSync(folder.recordFile, JSON.stringify({ pid: 99_999_999, startTime: 'x', ...facts }))
  const module = new URL('./supervisor-record.ts', import.meta.url).href
  const script = `
    import { claimRecord } from ${JSON.stringify(module)}
    process.stdin.once('data', () => {
      try {
        claimRecord(${JSON.stringify(folder)}, ${JSON.stringify(facts)}, () => {})
        console.log('won')
      } catch (error) {
        console.log(error.code)
      }
    })
    console.log('waiting')`
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  t.after(() => children.map((child) => child.kill('SIGKILL')))
  const say = (child: (typeof children)[number]) =>
    once(child.stdout, 'data').then(([chunk]) => String(chunk).trim())
  assert.deepEqual(new Set(await Promise.all(children.map(say))), new Set(['waiting']))
  const answers = Promise.all(children.map(say))
  for (const child of children) child.stdin.write('go\n')
  assert.deepEqual((await answers).sort(), [...Array(5).fill('ALREADY_EXISTS'), 'won'])
})
