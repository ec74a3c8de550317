import { EjectionPolicy } from '../balance/ejection-policy.ts'
import { Call, type CallInit } from '../call/call.ts'
import { compose } from '../call/handler.ts'
import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { InstanceFeed } from '../discovery/instance-feed.ts'
import type { Instance } from '../discovery/registry.ts'
import { hedging } from '../middleware/hedging.ts'
import { retry as retryCalls } from '../middleware/retry.ts'
import { Channel, type ChannelOptions } from '../rpc/channel.ts'
import { ClientRetry } from '../rpc/client-retry.ts'
import { FakeClock } from './fake-clock.ts'
import { RecordingLog } from './recording-log.ts'
import { sampleInstance } from './registry-suite.ts'
import { ScriptedConnection } from './scripted-connection.ts'

const { methods } = defineContract('users', { get: unary() })

/**
 * A channel to `users` whose clock and list of instances are in the hands of a test. Its connections open at once and answer
 * with the id of their instance; of several instances the first is asked.
 * @example
 * const { ask, list } = channelBench()
 * await list('a', 'b')
 * assert.equal(await ask(), 'a')
 */
export function channelBench(changes: Partial<ChannelOptions> = {}) {
  const clock = new FakeClock()
  const feed = new InstanceFeed()
  const log = new RecordingLog()
  const connections = new Map<string, ScriptedConnection>()
  const opened: string[] = []
  const channel = new Channel({
    service: 'users',
    source: 'the registry',
    instances: feed.watch('users'),
    balancer: (candidates) => candidates[0]!,
    clock,
    log,
    random: () => 0.5,
    firstConnectionMs: 1_000,
    maxWaitingCalls: 100,
    maxWaitingBytes: 1_000_000,
    ejection: new EjectionPolicy(),
    async connect({ id }, _, events) {
      const connection = new ScriptedConnection(async () => id)
      connection.events = events
      connections.set(id, connection)
      opened.push(id)
      return connection
    },
    ...changes,
  })
  const call = (init: CallInit = {}) => new Call(methods.get, undefined, { clock, ...init })
  const attempts = new ClientRetry({ clock, random: () => 0.5 })
  const retry = attempts.over('users', () => channel)
  /** With all that stands between a caller and the channel, but the deadline. */
  const invoke = compose([hedging(retry), retryCalls(retry)], channel.invoke)
  const ask = (init?: CallInit) => invoke(call(init))
  const list = async (...instances: (string | Instance)[]) => {
    feed.set(instances.map((item) => (typeof item === 'string' ? sampleInstance(item) : item)))
    await clock.advance(0)
  }
  const at = (id: string) => connections.get(id)!
  return { clock, log, opened, channel, invoke, policy: attempts.policy, call, ask, list, at }
}
