import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startUserService } from '../testing/user-service.ts'
import { fold } from './fold.ts'

test('people are found by a part of username or nickname, in any case and script', async (t) => {
  const { api, register } = await startUserService(t)
  const asker = (await register('asker', 'Zz')).user.id
  await register('irina', 'Ирина Ёлкина')
  await register('weiss', 'Jürgen Weiß')
  await register('odysseus', 'ΟΔΥΣΣΕΥΣ')
  await register('li', '李小龍 🐉').catch(() => register('li.x', '李小龍 🐉'))
  await register('wide', 'ＦＵＬＬ')
  const expected: [text: string, username: string][] = [
    ['RIN', 'irina'],
    ['ИРИНА', 'irina'],
    ['ёЛК', 'irina'],
    ['WEISS', 'weiss'],
    ['JÜR', 'weiss'],
    ['Ju\u0308r', 'weiss'],
    ['οδυσσευς', 'odysseus'],
    ['小龍', 'li.x'],
    ['🐉', 'li.x'],
    ['full', 'wide'],
  ]
  for (const [text, username] of expected) {
    const found = await api.find({ askerId: asker, text })
    assert.deepEqual(
      found.map((person) => person.username),
      [username],
      text,
    )
  }
})

test('nothing in the text acts as a wildcard', async (t) => {
  const { api, register } = await startUserService(t)
  const asker = (await register('asker', 'Asker')).user.id
  await register('under_score', '100 % sure')
  for (const text of ['%', '_', '\\', "'", '"', '*', '?']) {
    const found = await api.find({ askerId: asker, text })
    const names = found.map(({ username }) => username)
    assert.deepEqual(names, text === '%' || text === '_' ? ['under_score'] : [], text)
  }
})

test('at most twenty are found, the best first', async (t) => {
  const { api, register } = await startUserService(t)
  const asker = (await register('asker', 'Asker')).user.id
  for (let i = 0; i < 25; i++) await register(`a.x${i}`, `Somebody ${i}`)
  await register('x', 'X').catch(() => register('xxx', 'X'))
  await register('x1y', 'Inside')
  const found = await api.find({ askerId: asker, text: 'X' })
  assert.equal(found.length, 20)
  assert.deepEqual(
    found.slice(0, 2).map(({ username }) => username),
    ['xxx', 'x1y'],
  )
})

test('what the asker is to each is told', async (t) => {
  const { api, register, befriend } = await startUserService(t)
  const [me, friend, asked, asking] = await Promise.all(
    ['p.me', 'p.friend', 'p.asked', 'p.asking'].map(async (name) => (await register(name)).user.id),
  )
  await register('p.none')
  await befriend(me!, friend!)
  await api.requestFriend({ fromId: me!, toId: asked!, note: '' })
  await api.requestFriend({ fromId: asking!, toId: me!, note: '' })
  const found = await api.find({ askerId: me!, text: 'p.' })
  assert.deepEqual(Object.fromEntries(found.map((p) => [p.username, p.relation])), {
    'p.me': 'self',
    'p.friend': 'friend',
    'p.asked': 'requested',
    'p.asking': 'asking',
    'p.none': 'none',
  })
})

test('folding twice is folding once', () => {
  for (const text of ['ς', 'ẞß', 'İI', 'ﬃ', 'ｱ', 'ǅ', 'Ω', '\u0345α']) {
    assert.equal(fold(fold(text)), fold(text), text)
  }
})
