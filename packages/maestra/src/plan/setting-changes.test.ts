import { expect, test } from 'vitest'
import { settingChanges } from './setting-changes.js'

const texts = (declared: string, observed: string) => settingChanges(declared, observed).map(({ text }) => text)

test('names what is added, changed and taken away, and overlooks comments, order and quotes', () => {
  expect(texts("a = '1'\nb = 2\nc = ''", "# words\nb = 3\na = 1\nd = 'x'")).toEqual([
    'b 3 -> 2',
    "c (not set) -> ''",
    'd x -> (not set)',
  ])
})

test('tells the line that counts, and both values', () => {
  const changes = settingChanges('a = 1\nnew = x', "# words\na = 2\n\na = 3\nb = ''\n")
  expect(changes).toEqual([
    { name: 'a', line: 4, from: '3', to: '1', text: 'a 3 -> 1' },
    { name: 'new', to: 'x', text: 'new (not set) -> x' },
    { name: 'b', line: 5, from: "''", text: "b '' -> (not set)" },
  ])
})

test('takes no other name of the same value for a change', () => {
  expect(texts('wal_level = hot_standby', "wal_level = 'replica'")).toEqual([])
  expect(texts('wal_level = logical', 'wal_level = hot_standby')).toEqual(['wal_level hot_standby -> logical'])
})

test.each([
  ["primary_conninfo = 'host=x password=hunter2 port=1'", 'primary_conninfo host=x password=*** port=1 -> (not set)'],
  ["primary_conninfo = 'password = ''hunter2 hunter2'' host=x'", 'primary_conninfo password = *** host=x -> (not set)'],
  ["primary_conninfo = 'postgres://me:hunter2@x/db'", 'primary_conninfo postgres://me:***@x/db -> (not set)'],
])('prints no password of %s', (observed, expected) => {
  expect(texts('', observed)).toEqual([expected])
})

test('shows nothing of a setting whose name tells of a secret', () => {
  expect(texts("myext.api_token = 'hunter2'", "myext.api_token = 'hunter1'")).toEqual(['myext.api_token *** -> ***'])
})
