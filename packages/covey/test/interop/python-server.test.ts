import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import {
  batch,
  type Client,
  CoveyError,
  createClient,
  createKeyRing,
  createRuntime,
  MemoryRegistry,
  type RuntimeOptions,
  results,
} from '../../src/index.ts'
import { until } from '../../src/testing/until.ts'
import { interop } from './interop-contract.ts'
import { noPython, python } from './python.ts'

const secret = 'a secret that is long enough to be taken'

interface Bench {
  readonly api: Client<typeof interop>
  readonly target: string
}

/** Starts a server in Python and a client of ours. */
async function withPython(
  args: readonly string[],
  options: RuntimeOptions,
  use: (bench: Bench) => Promise<void>,
): Promise<void> {
  const child = python('covey_server.py', args, secret)
  try {
    child.stderr?.pipe(process.stderr)
    const [port] = (await once(child.stdout!, 'data')) as [Buffer]
    const target = `tcp://127.0.0.1:${port.toString().trim()}`
    await using runtime = createRuntime({ registry: new MemoryRegistry(), ...options })
    await use({ api: createClient(interop, { target, runtime }), target })
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
}

const variants: readonly [name: string, args: readonly string[], options: () => RuntimeOptions][] =
  [
    ['in the open', [], () => ({})],
    ['with CRC-32C', [], () => ({ integrity: 'crc32c' })],
    ['with a key', ['--key', 'may'], () => ({ keys: createKeyRing([{ id: 'may', secret }]) })],
  ]

for (const [name, args, options] of variants) {
  const check = (what: string, use: (bench: Bench) => Promise<void>) =>
    test(
      `our client and a server in Python ${name}: ${what}`,
      {
        skip: noPython,
        timeout: 30_000,
      },
      () => withPython(args, options(), use),
    )

  check('values, errors, context', async ({ api }) => {
    const value = {
      n: 1,
      f: 1.5,
      big: 2 ** 40,
      text: 'ünï😀',
      list: [1, [true, null]],
      bytes: new Uint8Array([0, 255]),
      at: new Date('2026-01-02T03:04:05.678Z'),
      huge: 2n ** 80n,
      map: new Map<unknown, unknown>([
        ['a', 1],
        [2, 'b'],
      ]),
      set: new Set([7]),
    }
    assert.deepEqual(await api.echo(value), value)
    const gone = await api.fail({ how: 'declared' }).catch((error: unknown) => error)
    assert.ok(api.fail.isError(gone, 'GONE'))
    assert.deepEqual(gone.details, { id: '7' })
    await assert.rejects(api.fail({ how: 'unknown' }), { code: 'INTERNAL' })
    const told = await api.describe(undefined, {
      timeoutMs: 3_000,
      metadata: { tag: 'blau' },
      baggage: { tenant: 'blau' },
    })
    assert.match(told.traceId, /^[0-9a-f]{32}$/)
    assert.deepEqual([told.tag, told.tenant], ['blau', 'blau'])
    assert.ok(told.leftMs > 0 && told.leftMs <= 3_000)
  })

  check('deadline and cancellation', async ({ api }) => {
    await assert.rejects(api.hang(undefined, { timeoutMs: 150 }), { code: 'DEADLINE_EXCEEDED' })
    const abort = new AbortController()
    const call = api.hang(undefined, { signal: abort.signal })
    await api.echo(1)
    abort.abort()
    await assert.rejects(call, { code: 'CANCELLED' })
    await until(async () => (await api.seen()).cancelled === 2, 'both handlers were cancelled')
  })

  check('streams of all kinds', async ({ api }) => {
    const seen: number[] = []
    for await (const { n } of api.count({ to: 3_000, pad: 100 })) seen.push(n)
    assert.deepEqual([seen.length, seen.at(-1)], [3_000, 3_000])
    for await (const { n } of api.count({ to: 1_000_000, pad: 1_000 })) if (n === 5) break
    assert.ok((await api.seen()).made < 2_000)
    const failing = async () => {
      for await (const _ of api.count({ to: -1, pad: 0 }));
    }
    await assert.rejects(failing, { code: 'GONE' })
    assert.equal(await api.sum(Array.from({ length: 5_000 }, (_, n) => n + 1)), 12_502_500)
    assert.equal(await api.first(['a', 'b']), 'a')
    const said: string[] = []
    for await (const word of api.talk(['one', 'two'])) said.push(word)
    assert.deepEqual(said, ['ONE', 'TWO', 'BYE'])
  })

  check('a slow reader holds a source back', async ({ api }) => {
    let made = 0
    const part = new Uint8Array(64 * 1024)
    const call = api.slow(
      (function* () {
        while (made < 40) {
          made += 1
          yield part
        }
      })(),
    )
    await until(() => made > 0, 'the source was asked')
    await api.echo(1)
    assert.ok(made < 10, `${made} parts were made ahead of the reader`)
    await api.go()
    assert.equal(await call, 40 * part.length)
  })

  check('notify, submit and batch', async ({ api }) => {
    await api.note.notify({ text: 'x' })
    await until(async () => (await api.seen()).noted === 1, 'the work was done')
    const done = await api.later.submit({ value: 7 })
    const failed = await api.fail.submit({ how: 'declared' })
    assert.equal(await api.later.ticket(done.token).result(), 7)
    const [first, second] = await results([done, failed])
    assert.deepEqual(first, { ok: true, value: 7 })
    assert.equal(second?.ok === false && second.error.code, 'GONE')

    const settled = await batch.settled({
      one: api.echo.of(1),
      two: api.later.of({ value: 2 }),
      three: api.fail.of({ how: 'declared' }),
    })
    assert.deepEqual(settled.one, { ok: true, value: 1 })
    assert.deepEqual(settled.two, { ok: true, value: 2 })
    assert.ok(!settled.three.ok && settled.three.error instanceof CoveyError)
    assert.deepEqual(await batch({}), {})
  })
}

test('our client refuses a server in Python that has another secret', { skip: noPython }, () =>
  withPython(
    ['--key', 'may'],
    { keys: createKeyRing([{ id: 'may', secret: 'x'.repeat(40) }]) },
    async ({ api }) => {
      await assert.rejects(api.echo(1), (error: CoveyError) => {
        assert.match(error.message, /does not have the secret of key "may"/)
        assert.ok(!error.message.includes(secret))
        return true
      })
    },
  ),
)
