import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogLine } from './log-line.ts'
import { columnNames, createRenderer, wantsColor } from './render-line.ts'

const noon = new Date(2026, 0, 2, 12, 0, 5).getTime()
const names = columnNames([
  { process: 'user', replica: 0 },
  { process: 'gateway', replica: 0 },
])
const plain = createRenderer({ color: false, names })

function line(text: string, fields: Partial<LogLine> = {}): LogLine {
  return { seq: 1, timeMs: noon, process: 'user', replica: 0, stream: 'stdout', text, ...fields }
}

function pino(fields: object): LogLine {
  return line(
    JSON.stringify({ level: 30, time: noon, app: 'user', pid: 1, hostname: 'h', ...fields }),
  )
}

test('a plain line is shown behind its time and process', () => {
  assert.equal(plain(line('hello')), '12:00:05 user    │ hello\n')
  assert.equal(plain(line('hello', { process: 'gateway' })), '12:00:05 gateway │ hello\n')
})

test('a pino line is shown as message and fields', () => {
  assert.equal(
    plain(pino({ msg: 'listening', port: 4100, path: 'a b', empty: '', deep: { a: [1] } })),
    '12:00:05 user    │ listening  port=4100 path="a b" empty="" deep={"a":[1]}\n',
  )
})

test('levels other than info are named, trace ids are short', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  assert.equal(
    plain(pino({ level: 40, msg: 'slow', traceId })),
    '12:00:05 user    │ WARN slow  traceId=0af76519\n',
  )
  for (const [level, word] of [
    [10, 'TRACE'],
    [20, 'DEBUG'],
    [50, 'ERROR'],
    [60, 'FATAL'],
  ]) {
    assert.ok(plain(pino({ level, msg: 'x' })).endsWith(`│ ${word} x\n`))
  }
})

test('the stack of an error follows on lines of its own', () => {
  const err = { type: 'Error', message: 'boom', stack: 'Error: boom\n    at a.ts:1\n    at b.ts:2' }
  assert.equal(
    plain(pino({ level: 50, msg: 'failed', err })),
    [
      '12:00:05 user    │ ERROR failed',
      '12:00:05 user    │   Error: boom',
      '12:00:05 user    │       at a.ts:1',
      '12:00:05 user    │       at b.ts:2',
      '',
    ].join('\n'),
  )
  assert.match(plain(pino({ msg: 'failed', err: { message: 'boom' } })), /failed {2}err=boom\n$/)
})

test('nothing in a pino line reaches the terminal as a control character', () => {
  const evil = '\u001b]0;owned\u0007\r\n\u009b2J'
  const shown = plain(
    pino({ msg: evil, [evil]: evil, traceId: evil, err: { stack: `a\n${evil}` } }),
  )
  for (const text of shown.split('\n')) assert.doesNotMatch(text, /\p{Cc}/u)
})

test('JSON that is not of pino, or broken, is shown as it is', () => {
  for (const text of ['{"a":1}', '{"level":30', '[1]', '{"level":"high","msg":"x"}']) {
    assert.ok(plain(line(text)).endsWith(`│ ${text}\n`))
  }
  assert.doesNotThrow(() => plain(line('{"level":30,"time":1e99,"msg":"x"}')))
})

test('colours tell processes and levels apart, and only when wanted', () => {
  const colored = createRenderer({ color: true, names })
  const colors = (shown: string) => shown.replaceAll('\x1b[', '<')
  assert.match(colors(colored(line('x'))), /<36muser/)
  assert.match(colors(colored(line('x', { process: 'gateway' }))), /<32mgateway/)
  assert.match(colors(colored(pino({ level: 50, msg: 'x' }))), /<31mERROR/)
  assert.match(colors(colored(line('oops', { stream: 'stderr' }))), /<31moops/)
  assert.ok(!plain(pino({ level: 50, msg: 'x' })).includes('\x1b'))
})

test('copies of a process have their number only when there are several', () => {
  const found = columnNames([
    { process: 'user', replica: 0 },
    { process: 'push', replica: 0 },
    { process: 'push', replica: 1 },
  ])
  assert.deepEqual([...found.values()], ['user', 'push-0', 'push-1'])
})

test('NO_COLOR forbids, FORCE_COLOR asks, a terminal decides otherwise', () => {
  assert.equal(wantsColor({}, true), true)
  assert.equal(wantsColor({}, false), false)
  assert.equal(wantsColor({ FORCE_COLOR: '1' }, false), true)
  assert.equal(wantsColor({ FORCE_COLOR: '0' }, true), false)
  assert.equal(wantsColor({ NO_COLOR: '1', FORCE_COLOR: '1' }, true), false)
  assert.equal(wantsColor({ NO_COLOR: '' }, true), true)
  assert.equal(wantsColor({ TERM: 'dumb' }, true), false)
})
