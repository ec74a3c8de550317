import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogLine } from '../../observe/log-line.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { createHubLog } from './hub-log.ts'
import { keptLines, LogHub } from './log-hub.ts'

const user = { process: 'user', replica: 0 }
const second = { process: 'user', replica: 1 }
const chat = { process: 'chat', replica: 0 }
const texts = (lines: LogLine[]) => lines.map(({ text }) => text)

test('the tail joins all processes in order, or shows one', () => {
  const hub = new LogHub(new FakeClock())
  hub.append(user, 'stdout', 'one')
  hub.append(chat, 'stderr', 'two')
  hub.append(second, 'stdout', 'three')
  assert.deepEqual(texts(hub.tail(undefined, 10)), ['one', 'two', 'three'])
  assert.deepEqual(texts(hub.tail(undefined, 2)), ['two', 'three'])
  assert.deepEqual(texts(hub.tail('user', 10)), ['one', 'three'])
  assert.deepEqual(texts(hub.tail('user-1', 10)), ['three'])
  assert.deepEqual(texts(hub.tail('../user', 10)), [])
  assert.deepEqual(texts(hub.tail(undefined, 0)), [])
})

test('lines say when, who and where, and are harmless', () => {
  const clock = new FakeClock()
  const hub = new LogHub(clock)
  hub.append(user, 'stderr', '\x1b[2Jgone')
  assert.deepEqual(hub.tail('user', 1), [
    { seq: 1, timeMs: clock.wallMs(), ...user, stream: 'stderr', text: '\\x1b[2Jgone' },
  ])
})

test('only the newest lines of each copy are kept', () => {
  const hub = new LogHub(new FakeClock())
  hub.append(chat, 'stdout', 'rare')
  for (let line = 0; line < keptLines * 3 + 17; line++) hub.append(user, 'stdout', String(line))
  const kept = texts(hub.tail('user', Number.POSITIVE_INFINITY))
  assert.equal(kept.length, keptLines)
  assert.equal(kept.at(-1), String(keptLines * 3 + 16))
  assert.deepEqual(texts(hub.tail('chat', 5)), ['rare'])
})

test('listeners hear each line until they leave', () => {
  const hub = new LogHub(new FakeClock())
  const heard: string[] = []
  const leave = hub.listen(({ text }, audience) => heard.push(`${text} ${audience}`))
  hub.append(user, 'stdout', 'one')
  hub.append(user, 'stdout', 'two', 'log only')
  leave()
  hub.append(user, 'stdout', 'three')
  assert.deepEqual(heard, ['one everywhere', 'two log only'])
  assert.deepEqual(texts(hub.tail('user', 9)), ['one', 'two', 'three'])
})

test("the supervisor's own lines are pino lines of covey", () => {
  const clock = new FakeClock()
  const hub = new LogHub(clock)
  createHubLog(hub, clock, { fleet: 'chat' }).child({ step: 1 }).warn({ pid: 7 }, 'user-0 hangs')
  const [line] = hub.tail('covey', 1)
  assert.deepEqual(JSON.parse(line?.text ?? ''), {
    level: 40,
    time: clock.wallMs(),
    fleet: 'chat',
    step: 1,
    pid: 7,
    msg: 'user-0 hangs',
  })
})
