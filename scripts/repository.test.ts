import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checks } from './check.ts'
import { repositoryRoot } from './findings.ts'

// The repository itself against its own rules: `make check`, as tests.
for (const check of checks) {
  test(`the repository passes the check "${check.name}"`, async () => {
    const { problems } = await check.run(repositoryRoot)
    assert.ok(problems.length === 0, `${problems.length} problems\n${problems.join('\n')}`)
  })
}
