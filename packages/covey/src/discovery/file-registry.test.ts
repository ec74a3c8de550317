import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { ListReader } from '../testing/list-reader.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { startRegistryHolder } from '../testing/registry-holder.ts'
import { registrySuite, sampleInstance } from '../testing/registry-suite.ts'
import { until } from '../testing/until.ts'
import { FileRegistry } from './file-registry.ts'

const root = await fs.mkdtemp(join(tmpdir(), 'covey-registry-'))
after(() => fs.rm(root, { recursive: true, force: true }))

let directories = 0
const newDirectory = () => join(root, `registry-${directories++}`)

registrySuite('FileRegistry', {
  async store() {
    const directory = newDirectory()
    return {
      open: async () => new FileRegistry({ directory }),
      [Symbol.asyncDispose]: () => fs.rm(directory, { recursive: true, force: true }),
    }
  },
})

test('processes see one another; one that is killed vanishes within 3 s, with its file', async () => {
  const directory = newDirectory()
  await using first = await startRegistryHolder(directory, 'first')
  await using second = await startRegistryHolder(directory, 'second')
  await using registry = new FileRegistry({ directory })
  await using reader = new ListReader(registry, 'users')
  assert.notEqual(first.pid, second.pid)
  await reader.untilIds('first', 'second')
  const killedAt = performance.now()
  first.signal('SIGKILL')
  await reader.untilIds('second')
  assert.ok(performance.now() - killedAt < 3_000, `${performance.now() - killedAt} ms`)
  await until(async () => (await fs.readdir(directory)).length === 1, 'the file is removed')
})

test('a paused process vanishes within 3 s and comes back as one entry when it wakes', async () => {
  const directory = newDirectory()
  await using holder = await startRegistryHolder(directory, 'paused')
  await using staying = await startRegistryHolder(directory, 'staying')
  await using registry = new FileRegistry({ directory })
  await using reader = new ListReader(registry, 'users')
  await reader.untilIds('paused', 'staying')
  const files = (await fs.readdir(directory)).sort()
  const pausedAt = performance.now()
  holder.signal('SIGSTOP')
  await reader.untilIds('staying')
  assert.ok(performance.now() - pausedAt < 3_000, `${performance.now() - pausedAt} ms`)
  assert.deepEqual((await fs.readdir(directory)).sort(), files, 'the file of a live process stays')
  const wokenAt = performance.now()
  holder.signal('SIGCONT')
  await reader.untilIds('paused', 'staying')
  assert.ok(performance.now() - wokenAt < 2_000, `${performance.now() - wokenAt} ms`)
  assert.deepEqual((await fs.readdir(directory)).sort(), files)
  assert.ok(staying.pid > 0)
})

test('a registry that begins after a process was killed does not show it', async () => {
  const directory = newDirectory()
  {
    await using _ = await startRegistryHolder(directory, 'dead')
  }
  assert.equal((await fs.readdir(directory)).length, 1)
  await using registry = new FileRegistry({ directory })
  assert.deepEqual(await registry.services(), [])
  assert.deepEqual(await fs.readdir(directory), [])
})

test('files are for their owner only, and say who holds them', async () => {
  const directory = newDirectory()
  await using registry = new FileRegistry({ directory })
  await registry.register(sampleInstance('a'))
  const [name = ''] = await fs.readdir(directory)
  assert.equal((await fs.stat(directory)).mode & 0o777, 0o700)
  assert.equal((await fs.stat(join(directory, name))).mode & 0o777, 0o600)
  const { pid, instance } = JSON.parse(await fs.readFile(join(directory, name), 'utf8'))
  assert.deepEqual([pid, instance], [process.pid, sampleInstance('a')])
})

test('when the directory is removed it comes back with all its entries, as often as that is', async () => {
  const directory = newDirectory()
  await using holder = await startRegistryHolder(directory, 'theirs')
  await using registry = new FileRegistry({ directory })
  await registry.register(sampleInstance('ours'))
  await using other = new FileRegistry({ directory })
  await using keepsLooking = new ListReader(other, 'users')
  await keepsLooking.untilIds('ours', 'theirs')
  for (let round = 0; round < 3; round++) {
    await fs.rm(directory, { recursive: true })
    const files = () => fs.readdir(directory).catch(() => [])
    await until(async () => (await files()).length === 2, 'both files are back')
    await using reader = new ListReader(other, 'users')
    await reader.untilIds('ours', 'theirs')
  }
  assert.ok(holder.pid > 0)
})

test('what cannot be written is reported once and written as soon as it can be', async () => {
  const directory = newDirectory()
  const log = new RecordingLog()
  await using registry = new FileRegistry({ directory, log, beatMs: 10 })
  const lease = await registry.register(sampleInstance('a'))
  await fs.rename(directory, `${directory}-away`)
  await fs.writeFile(directory, 'a file where the directory was')
  await until(() => log.lines.length > 0, 'a report')
  await lease.update(sampleInstance('a', { weight: 5 }))
  await wait(100)
  assert.deepEqual(log.messages('warn'), [
    'cannot write a registry entry; trying again at each beat',
  ])
  await fs.rm(directory)
  await fs.rm(`${directory}-away`, { recursive: true })
  await until(async () => (await fs.readdir(directory).catch(() => [])).length === 1, 'written')
  await using other = new FileRegistry({ directory })
  await using reader = new ListReader(other, 'users')
  assert.equal((await reader.next())?.[0]?.weight, 5)
})

test('a directory that cannot be made fails the registration, with the path', async () => {
  const file = newDirectory()
  await fs.writeFile(file, '')
  await using registry = new FileRegistry({ directory: join(file, 'registry') })
  await assert.rejects(registry.register(sampleInstance('a')), {
    code: 'START_FAILED',
    message: new RegExp(`cannot write to the registry directory ${file}/registry: .*ENOTDIR`),
  })
  assert.equal(
    await registry.register(sampleInstance('a')).catch(({ code }) => code),
    'START_FAILED',
  )
})

test('a directory that others can write to is reported once', async () => {
  const directory = newDirectory()
  await fs.mkdir(directory)
  await fs.chmod(directory, 0o777)
  const log = new RecordingLog()
  await using registry = new FileRegistry({ directory, log })
  await registry.register(sampleInstance('a'))
  await registry.register(sampleInstance('b'))
  assert.deepEqual(log.messages('warn'), ['other users can write to the registry directory'])
})

/** Runs a program that has `registry` and `instance`; returns how it ended and what it wrote. */
async function run(directory: string, program: string): Promise<{ code: number; text: string }> {
  const source = `
    import { readdirSync, readFileSync } from 'node:fs'
    import { FileRegistry } from ${JSON.stringify(new URL('./file-registry.ts', import.meta.url))}
    const instance = ${JSON.stringify(sampleInstance('a'))}
    const registry = new FileRegistry({ directory: ${JSON.stringify(directory)} })
    ${program}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  const [code] = await once(child, 'close')
  clearTimeout(late)
  return { code, text }
}

const onLinux = process.platform === 'linux' ? {} : { skip: 'reads /proc' }

test('after closing nothing is open, and the process ends', onLinux, async () => {
  const directory = newDirectory()
  const { code, text } = await run(
    directory,
    `// Watches of the system, which Node does not count among its resources.
     const open = () => readdirSync('/proc/self/fd').flatMap((fd) => {
       try {
         return readFileSync('/proc/self/fdinfo/' + fd, 'utf8').match(/^inotify /gm) ?? []
       } catch {
         return []
       }
     })
     const watch = registry.watch('users')[Symbol.asyncIterator]()
     await registry.register(instance)
     const lists = [(await watch.next()).value.length, open()]
     await registry.close()
     console.log(JSON.stringify([lists, (await watch.next()).done, open()]))`,
  )
  const expected = [[1, ['inotify ']], true, []]
  assert.deepEqual([code, JSON.parse(text)], [0, expected])
})

test('a registry that is open keeps no process alive, and its entry goes with the process', async () => {
  const directory = newDirectory()
  const { code, text } = await run(
    directory,
    `await registry.register(instance)
     for await (const list of registry.watch('users')) { console.log(list.length); break }
     const waiting = registry.watch('users')[Symbol.asyncIterator]()
     await waiting.next()
     void waiting.next()`,
  )
  assert.deepEqual({ code, text }, { code: 0, text: '1\n' })
  await using registry = new FileRegistry({ directory })
  assert.deepEqual(await registry.services(), [])
})
