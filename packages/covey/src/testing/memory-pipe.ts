import type { Pipe, PipeEvents } from '../transport/session/pipe.ts'

/** One end of a pipe whose bytes go nowhere until the test moves them. */
export interface MemoryPipe extends Pipe {
  /** Each write of the owner, in order. */
  readonly writes: Uint8Array[]
  /** What the other end did not take yet, as `queuedBytes`. */
  unsentBytes: number
  sendingBytes: number | undefined
  readonly state: 'open' | 'ended' | 'destroyed'
  readonly paused: boolean
  /** Gives bytes to the owner, as if they had arrived. */
  receive(bytes: Uint8Array): void
  /** Tells the owner that all is sent. */
  drain(): void
  /** Tells the owner that the other end is gone. */
  disconnect(cause?: Error): void
  /** Runs what the owner put off to the end of the turn. */
  turn(): void
}

/** A pipe for tests of sessions: nothing happens by itself, but that the other end closes when this one does. */
export function memoryPipe(): MemoryPipe {
  let events: PipeEvents | undefined
  let later: (() => void)[] = []
  const pipe = {
    protocol: 'memory',
    address: 'test',
    writes: [] as Uint8Array[],
    unsentBytes: 0,
    sendingBytes: undefined as number | undefined,
    state: 'open' as MemoryPipe['state'],
    paused: false,
    get queuedBytes() {
      return pipe.unsentBytes
    },
    open(given: PipeEvents) {
      events = given
    },
    write(bytes: Uint8Array) {
      pipe.writes.push(bytes.slice())
      return true
    },
    pause() {
      pipe.paused = true
    },
    resume() {
      pipe.paused = false
    },
    hold() {},
    end() {
      pipe.state = 'ended'
      queueMicrotask(() => events?.closed())
    },
    destroy() {
      pipe.state = 'destroyed'
      events?.closed()
    },
    soon: (run: () => void) => void later.push(run),
    receive: (bytes: Uint8Array) => events?.data(bytes),
    drain() {
      pipe.unsentBytes = 0
      events?.drained()
    },
    disconnect: (cause?: Error) => events?.closed(cause),
    turn() {
      const due = later
      later = []
      for (const run of due) run()
    },
  }
  return pipe
}
