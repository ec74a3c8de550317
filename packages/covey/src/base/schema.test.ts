import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { issuePath } from './schema.ts'

test('the path of an issue is a list of names, whichever form a library gives it', () => {
  const message = 'wrong'
  assert.deepEqual(issuePath({ message }), [])
  assert.deepEqual(issuePath({ message, path: ['rooms', 0, { key: 'name' }] }), [
    'rooms',
    '0',
    'name',
  ])
  assert.deepEqual(issuePath({ message, path: [Symbol.for('mark')] }), ['Symbol(mark)'])
})

test('the paths of zod are understood', async () => {
  const schema = z.object({ rooms: z.array(z.object({ name: z.string() })) })
  const { issues } = await schema['~standard'].validate({ rooms: [{ name: 1 }] })
  assert.deepEqual(issues?.map(issuePath), [['rooms', '0', 'name']])
})
