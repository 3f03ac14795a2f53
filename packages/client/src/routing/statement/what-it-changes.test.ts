import { beforeAll, describe, expect, test } from 'vitest'
import { Classifier } from './classify.js'
import { namesWith } from './names.fixture.js'

const classifier = new Classifier()

beforeAll(async () => {
  await classifier.load()
  classifier.setNames(
    namesWith({
      relations: new Map([
        ['v', 'view'],
        ['s', 'sequence'],
      ]),
      functions: new Set(['f']),
    }),
  )
})

const changing = {
  parameters: [
    `set synchronous_commit to off`,
    `set local synchronous_commit to off`,
    `reset all`,
    `select set_config('synchronous_commit', 'off', false)`,
    `select 1 where set_config($1, $2, $3) = 'a'`,
    `alter role a set synchronous_commit to off`,
    `alter system set synchronous_commit to off`,
    `select f()`,
    `select g()`,
    `select app.g()`,
    `select * from v`,
    `select * from t where a === b`,
    `select $1::email`,
    `insert into t select f()`,
    `insert into t select * from v`,
    `with a as (insert into t values (f()) returning *) select * from a`,
    `with a as (insert into t values (1) on conflict (b) do update set c = f() returning *) select * from a`,
    `select f() from t for update`,
    `call f()`,
    `load 'a'`,
    'copy (select f()) to stdout',
    'copy t to stdout',
    `execute a`,
    `select pg_reload_conf()`,
    `select query_to_xml($1, true, true, '')`,
    `explain analyze select f()`,
    `select 1; set work_mem to 1`,
  ],
  names: [
    'create table a ()',
    'create view a as select 1',
    'create or replace function a() returns int language sql as $$select 1$$',
    'create type a as enum ()',
    'create operator + (leftarg = a, function = b)',
    'create cast (a as b) without function',
    'create sequence a',
    'drop table a',
    'select 1 into a',
    'begin; create table a (); commit',
  ],
  both: [
    'alter table a enable row level security',
    'alter table a set unlogged',
    'create extension a',
    'create table a as select f()',
    'do $$begin end$$',
    'discard all',
    'selec 1',
    'create schema a',
  ],
  nothing: [
    'select 1',
    'select version()',
    `select nextval('s')`,
    'select last_value from s',
    'select * from t for update',
    'insert into t values (1)',
    `update t set a = nextval('s')`,
    'with a as (delete from t returning *) select * from a',
    'select 1; insert into t values (1)',
    'begin',
    'commit',
    'rollback',
    'savepoint a',
    'listen a',
    'copy t from stdin',
    'notify a',
    'truncate t',
    'lock t',
    'vacuum t',
    'analyze',
    'grant select on t to a',
    'show work_mem',
    'explain select f()',
    '',
  ],
}

const cases = [
  ...changing.parameters.map((text) => ({ text, maySetParameters: true, changesNames: false })),
  ...changing.names.map((text) => ({ text, maySetParameters: false, changesNames: true })),
  ...changing.both.map((text) => ({ text, maySetParameters: true, changesNames: true })),
  ...changing.nothing.map((text) => ({ text, maySetParameters: false, changesNames: false })),
]

describe('settings and names', () => {
  test.each(cases)('$text: settings $maySetParameters, names $changesNames', ({ text, ...expected }) => {
    const { maySetParameters, changesNames } = classifier.classify(text)
    expect({ maySetParameters, changesNames }).toEqual(expected)
  })
})

describe('a write', () => {
  test.each([
    ['select 1', false],
    ['begin', false],
    ['savepoint a', false],
    ['release a', false],
    ['rollback to a', false],
    ['rollback and chain', false],
    ['', false],
    ['commit', true],
    ['end', true],
    ['commit and chain', true],
    [`commit prepared 'a'`, true],
    [`rollback prepared 'a'`, true],
    ['insert into t values (1)', true],
    ['select f()', true],
    ['select * from t for update', true],
    ['show a', true],
    ['call f()', true],
    ['select 1; select 2', true],
    ['selec 1', true],
  ])('is what %s may be on the primary: %s (W1)', (text, mayWrite) => {
    expect(classifier.classify(text).mayWrite).toBe(mayWrite)
  })
})

test.each([
  ['begin', false],
  ['begin read only', true],
  ['begin isolation level serializable, read only', true],
  ['start transaction read write', false],
  ['begin read only read write', false],
  ['begin read write, read only', true],
])('%s is read only: %s', (text, readOnly) => {
  expect(classifier.classify(text)).toMatchObject({ kind: 'begin', readOnly })
})
