import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenError } from './listen-error.ts'

const failure = (code: string) => Object.assign(new Error(`listen ${code}`), { code })

test('what the system says about an address becomes what to do about it', () => {
  const expected = {
    EADDRINUSE: ['ADDRESS_IN_USE', /^tcp:\/\/h:80 is in use by another process: .*another port$/],
    EACCES: ['INVALID_SETTINGS', /^tcp:\/\/h:80 may not be listened on .*above 1023/],
    EADDRNOTAVAIL: ['START_FAILED', /^tcp:\/\/h:80 is no address of this machine: set a host/],
    ENOTFOUND: ['START_FAILED', /^tcp:\/\/h:80 has a host that no name server knows/],
    EMFILE: ['START_FAILED', /^tcp:\/\/h:80: listen EMFILE$/],
  } as const
  for (const [code, [ours, message]] of Object.entries(expected)) {
    const cause = failure(code)
    const error = listenError('tcp://h:80', cause)
    assert.equal(error.code, ours)
    assert.match(error.message, message)
    assert.equal(error.cause, cause)
  }
})
