import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { LogLine } from '../../observe/log-line.ts'
import { LogFile, type LogFileOptions } from './log-file.ts'

async function open(t: TestContext, options: Partial<LogFileOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'covey-log-'))
  t.after(() => rm(folder, { recursive: true }))
  const errors: Error[] = []
  const path = join(folder, 'user-0.log')
  const file = new LogFile({ path, onError: (error) => errors.push(error), ...options })
  return { folder, path, file, errors }
}

function line(text: string, stream: LogLine['stream'] = 'stdout'): LogLine {
  return { seq: 1, timeMs: 5, process: 'user', replica: 0, stream, text }
}

test('every line of a file is a JSON object', async (t) => {
  const { path, file } = await open(t)
  file.append(line('{"level":30,"msg":"of pino"}'))
  file.append(line('plain'))
  file.append(line('{"broken', 'stderr'))
  await file.close()
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
  assert.deepEqual(
    lines.map((text) => JSON.parse(text)),
    [
      { level: 30, msg: 'of pino' },
      { level: 30, time: 5, stream: 'stdout', msg: 'plain' },
      { level: 50, time: 5, stream: 'stderr', msg: '{"broken' },
    ],
  )
})

test('files rotate, and only so many are kept', async (t) => {
  const { folder, path, file } = await open(t, { maxBytes: 1_000 })
  for (let count = 0; count < 60; count++) {
    file.append(line(`{"level":30,"msg":"${String(count).padStart(80, '.')}"}`))
    await file.close()
  }
  assert.deepEqual((await readdir(folder)).sort(), ['user-0.log', 'user-0.log.1', 'user-0.log.2'])
  const texts = await Promise.all(['.2', '.1', ''].map((end) => readFile(path + end, 'utf8')))
  for (const text of texts) assert.ok(text.length <= 1_000)
  const kept = texts
    .join('')
    .trimEnd()
    .split('\n')
    .map((text) => Number(/(\d+)"}$/.exec(text)?.[1]))
  assert.ok(kept.length >= 18 && kept.length <= 27)
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, at) => 60 - kept.length + at),
  )
})

test('what the disk cannot take in time is dropped and counted', async (t) => {
  const { path, file } = await open(t, { maxWaitingBytes: 500 })
  for (let count = 0; count < 100; count++) file.append(line(`{"level":30,"msg":"${count}"}`))
  await file.close()
  file.append(line('{"level":30,"msg":"later"}'))
  await file.close()
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
  const dropped = lines.map((text) => Number(/"(\d+) lines dropped/.exec(text)?.[1] ?? 0))
  const noted = dropped.reduce((sum, count) => sum + count, 0)
  const notes = dropped.filter((count) => count > 0).length
  assert.ok(noted > 50)
  assert.equal(lines.length - notes + noted, 101)
})

test('a file that cannot be written is reported once, and used again when it can', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-log-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const inner = join(folder, 'gone')
  const { file, errors } = await open(t, { path: join(inner, 'user-0.log') })
  for (let count = 0; count < 3; count++) {
    file.append(line('lost'))
    await file.close()
  }
  assert.equal(errors.length, 1)
  await import('node:fs/promises').then(({ mkdir }) => mkdir(inner))
  file.append(line('kept'))
  await file.close()
  const text = await readFile(join(inner, 'user-0.log'), 'utf8')
  assert.match(text, /3 lines dropped/)
  assert.match(text, /"kept"/)
})

test('a symbolic link in place of the log is not followed', async (t) => {
  const { folder, path, file, errors } = await open(t)
  const victim = join(folder, 'victim')
  await writeFile(victim, 'untouched')
  await symlink(victim, path)
  file.append(line('x'))
  await file.close()
  assert.equal((errors[0] as NodeJS.ErrnoException).code, 'ELOOP')
  assert.equal(await readFile(victim, 'utf8'), 'untouched')
})
