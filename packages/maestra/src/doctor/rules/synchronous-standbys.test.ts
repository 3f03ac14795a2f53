import { expect, test } from 'vitest'
import { loadCluster } from '../../cluster/load-cluster.js'
import { type Keys, said } from '../said.fixture.js'
import { synchronousStandbys } from './synchronous-standbys.js'

test.each<Keys>([
  {},
  { all: "synchronous_standby_names: ''" },
  { all: 'synchronous_standby_names: db2' },
  { all: "synchronous_standby_names: 'FIRST 2 (db3, DB2)'" },
  { all: "synchronous_standby_names: 'ANY 1 (db1, db2, db3)'" },
  { all: "synchronous_standby_names: 'ANY 2 (*)'" },
  { db1: "parameters: { synchronous_standby_names: '2 (*)' }" },
])('finds nothing wrong with %j', (keys) => {
  expect(said(synchronousStandbys, keys)).toStrictEqual([])
})

const waits = (count: string, named: number) =>
  `\`synchronous_standby_names\` has each commit wait for ${count}, and names ${named} of this cluster: without others, no commit ends`

test.each([
  ["'ANY 3 (*)'", waits('3 standbys', 2)],
  ["'2 (db2)'", waits('2 standbys', 1)],
  ["'2 (db1, db2)'", waits('2 standbys', 1)],
])('warns when commits wait for more than there are: %s', (names, message) => {
  const ofPrimary = said(synchronousStandbys, { db1: `parameters: { synchronous_standby_names: ${names} }` })
  expect(ofPrimary).toStrictEqual([`5 warning: ${message}`])
  expect(said(synchronousStandbys, { db2: `parameters: { synchronous_standby_names: ${names} }` })).toStrictEqual([])
})

test('warns of a name that no node has', () => {
  expect(said(synchronousStandbys, { db1: 'parameters: { synchronous_standby_names: "db2, bd3" }' })).toStrictEqual([
    '5 warning: `synchronous_standby_names` names "bd3", which is no node of this cluster',
  ])
  expect(said(synchronousStandbys, { db1: 'parameters: { synchronous_standby_names: walreceiver }' })).toStrictEqual([
    `5 warning: ${waits('1 standby', 0)}`,
    '5 warning: `synchronous_standby_names` names "walreceiver", which is no node of this cluster',
  ])
})

test.each(['db-2', 'ANY (db2)', 'FIRST 0 (db2)', 'db2 db3'])('refuses what PostgreSQL cannot read: %s', (names) => {
  expect(said(synchronousStandbys, { db3: `parameters: { synchronous_standby_names: "${names}" }` })).toStrictEqual([
    `7 error: PostgreSQL cannot read \`synchronous_standby_names\`: "${names}"`,
  ])
})

test('takes a name with a - in double quotes', () => {
  const text = `cluster: shop
postgres: { version: 18 }
parameters: { synchronous_standby_names: '"db-2"' }
nodes: [{ name: db-1, data: a, primary: true }, { name: db-2, data: b, port: 5433 }]
`
  expect(synchronousStandbys.check({ declared: loadCluster(text, '/srv/maestra.yaml').cluster })).toStrictEqual([])
})

test('says nothing without a declaration', () => {
  expect(synchronousStandbys.check({ declared: undefined })).toStrictEqual([])
})

test('counts only standbys that follow the primary itself, and warns of others', () => {
  const keys = { db1: 'parameters: { synchronous_standby_names: "ANY 2 (db2, db3)" }', db3: 'follows: db2' }
  expect(said(synchronousStandbys, keys)).toStrictEqual([
    `5 warning: ${waits('2 standbys', 1)}`,
    '5 warning: `synchronous_standby_names` names db3, which follows db2: commits wait only for standbys that follow the primary itself',
  ])
})
