import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StartOutput } from './start-output.ts'

const end = 'exited with code 1'

/** Output under test, and what of it was shown since it was last looked at. */
function outputOf() {
  let lines: string[] = []
  const output = new StartOutput(({ text }, audience) => {
    lines.push(audience === 'everywhere' ? text : `${text} (${audience})`)
  })
  const say = (...texts: string[]) => {
    for (const text of texts) output.take({ stream: 'stderr', text })
  }
  const log = (msg: string, time = 1) =>
    output.take({ stream: 'stdout', text: JSON.stringify({ level: 30, time, pid: time, msg }) })
  const shown = () => {
    const all = lines
    lines = []
    return all
  }
  const round = (...texts: string[]) => {
    output.begin()
    say(...texts)
    return output.fail(end)
  }
  return { output, say, log, shown, round }
}

test('the first try is shown whole, those that repeat it not at all', () => {
  const { round, shown } = outputOf()
  const texts = ['user cannot start: no disk', '    at a', '    at b']
  const first = round(...texts)
  assert.deepEqual(first, {
    attempt: 1,
    repeated: false,
    reason: 'no disk',
    words: ['no disk', '    at a', '    at b'],
  })
  assert.deepEqual(shown(), texts)
  for (const attempt of [2, 3, 4]) {
    const again = round(...texts)
    assert.deepEqual([again?.attempt, again?.repeated, again?.reason], [attempt, true, 'no disk'])
    assert.deepEqual(shown(), [])
  }
})

test('another reason is shown whole, and so is the first one when it comes again', () => {
  const { round, shown } = outputOf()
  round('warming up', 'Error: no disk', '    at a')
  shown()
  const other = round('warming up', 'Error: no net', '    at b')
  assert.deepEqual([other?.attempt, other?.repeated], [2, false])
  assert.deepEqual(shown(), ['warming up', 'Error: no net', '    at b'])
  assert.equal(round('warming up', 'Error: no disk', '    at a')?.repeated, false)
  assert.deepEqual(shown(), ['warming up', 'Error: no disk', '    at a'])
})

test('the same reason with another stack is the same reason', () => {
  const { round, shown } = outputOf()
  round('user cannot start: no disk', '    at a')
  shown()
  assert.equal(round('user cannot start: no disk', '    at b', '    at c')?.repeated, true)
  assert.deepEqual(shown(), [])
})

test('the same reason with another end is shown', () => {
  const { output, round, say, shown } = outputOf()
  round('Error: no disk')
  shown()
  output.begin()
  say('Error: no disk')
  assert.equal(output.fail('was ended by SIGKILL')?.repeated, false)
  assert.deepEqual(shown(), ['Error: no disk'])
})

test('what is new is shown at once, with what was held back before it', () => {
  const { output, round, say, shown } = outputOf()
  round('one', 'two', 'three')
  shown()
  output.begin()
  say('one', 'two')
  assert.deepEqual(shown(), [])
  say('drei')
  assert.deepEqual(shown(), ['one', 'two', 'drei'])
  say('three')
  assert.deepEqual(shown(), ['three'])
})

test('lines of a log are the same when only their time differs, and streams do not mix', () => {
  const { output, log, say, shown } = outputOf()
  output.begin()
  log('opening', 1)
  say('Error: no disk')
  output.fail(end)
  shown()
  output.begin()
  say('Error: no disk')
  log('opening', 2)
  assert.equal(output.fail(end)?.repeated, true)
  assert.deepEqual(shown(), [])
  output.begin()
  log('closing', 3)
  assert.equal(shown().length, 1)
})

test('when it is ready all is shown, and a later failure is a new one', () => {
  const { output, round, say, shown } = outputOf()
  round('warming up', 'Error: no disk')
  assert.equal(output.reason, 'Error: no disk')
  shown()
  output.begin()
  say('warming up')
  assert.equal(output.reason, 'Error: no disk')
  output.settle()
  assert.deepEqual(shown(), ['warming up'])
  assert.equal(output.reason, undefined)
  say('serving')
  assert.deepEqual(shown(), ['serving'])
  assert.equal(output.fail(end), undefined)
  const failed = round('warming up', 'Error: no disk')
  assert.deepEqual([failed?.attempt, failed?.repeated], [1, false])
  assert.deepEqual(shown(), ['warming up', 'Error: no disk'])
})

test('a process without a word repeats itself too', () => {
  const { output, round } = outputOf()
  assert.deepEqual(round(), { attempt: 1, repeated: false, reason: undefined, words: [] })
  assert.equal(round()?.repeated, true)
  assert.equal(output.reason, end)
})

test("the supervisor's own reason stands above what the process says", () => {
  const { output, say, shown } = outputOf()
  for (const repeated of [false, true]) {
    output.begin()
    say('a warning')
    const failed = output.fail('was ended by SIGKILL', 'is not ready after 30 s')
    assert.deepEqual([failed?.repeated, failed?.reason], [repeated, 'is not ready after 30 s'])
  }
  assert.deepEqual(shown(), ['a warning'])
})

test('last words wait for the end: it says who sees them', () => {
  const { output, say, shown } = outputOf()
  output.begin()
  say('a warning', 'user cannot start: 1 wrong:', '  a: missing')
  assert.deepEqual(shown(), ['a warning'])
  output.fail('exited with code 78', undefined, 'log only')
  assert.deepEqual(shown(), ['user cannot start: 1 wrong: (log only)', '  a: missing (log only)'])
})

test('one that writes without end is shown as it writes', () => {
  const { output, round, say, shown } = outputOf()
  const texts = Array.from({ length: 600 }, (_, at) => `line ${at}`)
  round(...texts)
  assert.deepEqual(shown(), texts)
  output.begin()
  say(...texts)
  assert.deepEqual(shown(), texts)
  output.begin()
  say('user cannot start: no disk', ...texts)
  assert.equal(shown().length, 601)
})

test('only standard error has last words', () => {
  const { output, shown } = outputOf()
  output.begin()
  output.take({ stream: 'stdout', text: 'job cannot start: later' })
  assert.deepEqual(shown(), ['job cannot start: later'])
})
