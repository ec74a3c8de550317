import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gatewaySettings } from './gateway/settings.ts'
import { messageSettings } from './message/settings.ts'
import { presenceSettings } from './presence/settings.ts'
import { userSettings } from './user/settings.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

test('README.md lists every setting with its default, and no other', async () => {
  const text = await readFile(new URL('./README.md', import.meta.url), 'utf8')
  const rows = [
    ...text.matchAll(/^\| `((?:user|message|presence|gateway)\.[\w.]+)` \| ([^|]+) \|/gm),
  ]
  const listed = new Map(rows.map(([, name, value]) => [name!, value!.trim()]))
  const real = new Map<string, string>()
  const sections = [userSettings, messageSettings, presenceSettings, gatewaySettings]
  for (const { name, schema } of sections.flatMap(({ settings }) => settings)) {
    const result = await schema['~standard'].validate(undefined)
    assert.equal(result.issues, undefined, name)
    real.set(name, 'value' in result ? String(result.value ?? 'none').replace(here, '') : '')
  }
  assert.deepEqual([...listed].sort(), [...real].sort())
})
