import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { rareWarning } from './rare-warning.ts'

test('a warning is written once in its time, with how often it was meant', async () => {
  const [log, clock] = [new RecordingLog(), new FakeClock()]
  const warn = rareWarning(log, clock, 1_000)
  for (let time = 0; time < 5; time++) warn({ time }, 'full')
  await clock.advance(999)
  warn({ time: 5 }, 'full')
  await clock.advance(1)
  warn({ time: 6 }, 'full')
  assert.deepEqual(
    log.lines.map(({ level, fields }) => [level, fields]),
    [
      ['warn', { time: 0, times: 1 }],
      ['warn', { time: 6, times: 6 }],
    ],
  )
})
