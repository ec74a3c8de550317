import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import { EndWarning } from './end-warning.ts'

const hourMs = 3_600_000

test('the coming end is told once a certificate, the end every hour', async () => {
  const clock = new FakeClock()
  const log = new RecordingLog()
  const warning = new EndWarning(clock, log)
  /** What is told of a certificate that is looked at every ten minutes. */
  const told = async (end: Date, hours: number) => {
    for (let looks = 0; looks < 6 * hours; looks++) {
      warning.look(end)
      await clock.advance(hourMs / 6)
    }
    return log.lines.splice(0).map(({ level, message }) => `${level}: ${message.slice(0, 29)}`)
  }
  const endsIn = (hours: number) => new Date(clock.wallMs() + hours * hourMs)
  const first = endsIn(27)
  const soon = 'warn: the TLS certificate ends soon'
  const ended = 'error: the TLS certificate has ended'
  assert.deepEqual(await told(first, 3), [])
  assert.deepEqual(await told(first, 10), [soon])
  assert.deepEqual(await told(first, 14), [])
  assert.deepEqual(await told(first, 3), [ended, ended, ended])
  const second = endsIn(2)
  assert.deepEqual(await told(second, 2), [soon], 'another certificate')
  assert.deepEqual(await told(second, 1), [ended])
})
