import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../observe/log.ts'
import { freePort } from '../../testing/free-port.ts'
import { LogHub } from '../log/log-hub.ts'
import type { ProcessStatus } from '../process-status.ts'
import { startAdminServer } from './admin-server.ts'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const skip = existsSync(executablePath) ? false : 'there is no Chromium'

const token = 't'.repeat(43)
const running: ProcessStatus = {
  name: 'user-0',
  process: 'user',
  replica: 0,
  state: 'running',
  pid: 4711,
  restarts: 2,
  uptimeMs: 3_723_000,
  retryMs: null,
  reason: null,
  cpuPercent: 1.54,
  memoryBytes: 73_400_320,
}

test('the page asks for the token, lists processes as they change, and logs out', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const port = await freePort()
  const evil = '<img src=x onerror="window.hit = 1"><script>window.hit = 1</script>'
  let processes: ProcessStatus[] = [running]
  let stops = 0
  const server = await startAdminServer({
    port,
    token,
    fleet: evil,
    hub: new LogHub(systemClock),
    log: silentLog,
    clock: systemClock,
    processes: () => processes,
    stopLimitMs: () => 1_000,
    stop: () => {
      stops += 1
    },
  })
  t.after(() => server.close())
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  t.after(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 900, height: 500 } })
  page.setDefaultTimeout(10_000)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (entry) => {
    if (entry.text().includes('Content Security Policy')) errors.push(entry.text())
  })
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.getByText('covey token').waitFor()
  await page.getByLabel('Token').fill('wrong')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').getByText('this is not the token').waitFor()
  await page.getByLabel('Token').fill(token)
  await page.keyboard.press('Enter')

  const row = page.getByRole('row').filter({ hasText: 'user-0' })
  await row.waitFor()
  const cells = await row.getByRole('cell').allInnerTexts()
  assert.deepEqual(cells, ['user-0', 'running', '4711', '2', '1 h 2 min', '1.5 %', '70 MiB'])
  assert.equal(await page.locator('#fleet').innerText(), evil)
  assert.equal(await page.evaluate('window.hit'), undefined)
  assert.equal(await page.evaluate('document.cookie'), '')

  const off = { pid: null, uptimeMs: null, cpuPercent: null, memoryBytes: null }
  const waiting = { state: 'backoff', retryMs: 12_300, reason: `no disk ${evil}` } as const
  processes = [{ ...running, ...off, ...waiting, name: evil }]
  const failed = page.getByRole('row').filter({ hasText: 'starts again in 12 s' })
  await failed.waitFor()
  assert.equal(await failed.locator('.reason').innerText(), `no disk ${evil}`)
  assert.equal(await page.evaluate('window.hit'), undefined)

  page.once('dialog', (dialog) => void dialog.accept())
  await page.getByRole('button', { name: 'Stop the fleet' }).click()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Token').waitFor()
  assert.equal(stops, 1)
  for (const name of ['Stop the fleet', 'Log out']) {
    await page.getByRole('button', { name }).waitFor({ state: 'hidden' })
  }
  assert.deepEqual(errors, [])
})
