import { beforeAll, describe, expect, test } from 'vitest'
import type { CatalogNames } from './catalog-names.js'
import { Classifier } from './classify.js'
import { namesWith } from './names.fixture.js'
import type { StatementReason } from './statement.js'

const classifier = new Classifier()

beforeAll(() => classifier.load())

function judged(made: Partial<CatalogNames>, text: string): string {
  classifier.setNames(namesWith(made))
  const { kind, reason, detail } = classifier.classify(text)
  return [kind, reason, ...(detail === undefined ? [] : [detail])].join(' ')
}

const view = { relations: new Map([['v', 'view'] as const]) }
const folded = { relations: new Map([['überblick', 'view'] as const]) }
const lower = { functions: new Set(['lower']) }
const total = { functions: new Set(['total']), notations: new Set(['total']) }
const jsonNames = {
  functions: new Set(['json_array', 'json_value', 'json_table', 'json_arrayagg', 'json_object', 'json']),
}
const equals = { operators: new Set(['=']) }
const atLeast = { operators: new Set(['>=']) }
const mood = { safeTypes: new Set(['mood']) }
const inet = { unsafeTypes: new Set(['inet', 'date']) }
const trigrams = { extensionFunctions: new Set(['similarity']), extensionOperators: new Set(['<<->', '=']) }

type Case = readonly [made: Partial<CatalogNames>, text: string, reason: StatementReason, detail?: string]

const notProven: readonly Case[] = [
  [view, 'select * from v', 'relation-not-plain', 'v (view)'],
  [view, 'select * from app.v', 'relation-not-plain', 'v (view)'],
  [view, 'select * from "v"', 'relation-not-plain', 'v (view)'],
  [view, 'select * from V', 'relation-not-plain', 'v (view)'],
  [view, 'select * from only v', 'relation-not-plain', 'v (view)'],
  [view, 'table v', 'relation-not-plain', 'v (view)'],
  [view, 'select 1 where exists (select from t join v using (a))', 'relation-not-plain', 'v (view)'],
  [folded, 'select * from ÜBERBLICK', 'relation-not-plain', 'Überblick (view)'],
  [{}, `select * from ${'ü'.repeat(30)}`, 'relation-not-plain', 'ü'.repeat(30)],
  // Which of the two the name means depends on where it stands.
  [view, 'with v as (select * from v) select 1', 'relation-not-plain', 'v (view)'],
  [view, 'with v as (select 1) select * from app.v', 'relation-not-plain', 'v (view)'],
  [view, 'with a as (select * from v), v as (select 1) select 1', 'relation-not-plain', 'v (view)'],
  [view, 'select * from (with v as (select 1) select * from v) a, v', 'relation-not-plain', 'v (view)'],
  [view, '(with v as (select 1) select * from v) union select * from v', 'relation-not-plain', 'v (view)'],
  [view, 'select (with v as (select 1) select 1), (select 1 from v)', 'relation-not-plain', 'v (view)'],
  [
    { relations: new Map([['a', 'sequence'] as const]) },
    'select last_value from a',
    'relation-not-plain',
    'a (sequence)',
  ],

  [lower, `select lower('A')`, 'user-function', 'lower'],
  [lower, `select pg_catalog.lower('A')`, 'user-function', 'lower'],
  [lower, 'select * from lower($1)', 'user-function', 'lower'],
  [total, 'select t.total from t', 'user-function', 'total'],
  [total, 'select s.t.total from s.t', 'user-function', 'total'],
  [total, 'select (t).total from t', 'user-function', 'total'],
  [total, 'select 1 from t order by t.total', 'user-function', 'total'],
  [total, 'select (a[1]).total from t', 'user-function', 'total'],
  [{}, 'select t.nextval from t', 'function', 'nextval'],
  // What the grammar of 18 makes of these, an older server looks up among functions.
  [jsonNames, 'select json_array(1)', 'user-function', 'json_array'],
  [jsonNames, 'select json_array(select 1)', 'user-function', 'json_array'],
  [jsonNames, `select json_object('a': 1)`, 'user-function', 'json_object'],
  [jsonNames, 'select json_arrayagg(a) from t', 'user-function', 'json_arrayagg'],
  [jsonNames, `select json_value(a, '$') from t`, 'user-function', 'json_value'],
  [jsonNames, `select json('1')`, 'user-function', 'json'],
  [jsonNames, `select * from json_table('1', '$' columns (a int))`, 'user-function', 'json_table'],
  [{ functions: new Set(['bernoulli']) }, 'select * from t tablesample bernoulli (1)', 'user-function', 'bernoulli'],

  [equals, 'select 1 where a = 1', 'user-operator', '='],
  [equals, 'select a in (1, 2) from t', 'user-operator', '='],
  [equals, 'select a = any ($1) from t', 'user-operator', '='],
  [equals, 'select a in (select 1), (a, b) not in (select 1, 2) from t', 'user-operator', '='],
  [equals, 'select (a, b) = (1, 2) from t', 'user-operator', '='],
  [equals, 'select case a when 1 then 2 end from t', 'user-operator', '='],
  [equals, 'select * from t join u using (a)', 'user-operator', '='],
  [equals, 'select * from t natural join u', 'user-operator', '='],
  [equals, 'select nullif(a, b), a is distinct from b from t', 'user-operator', '='],
  [atLeast, 'select 1 where a between 1 and 2', 'user-operator', '>='],
  [atLeast, 'select 1 where a between symmetric 1 and 2', 'user-operator', '>='],
  [{ operators: new Set(['<']) }, 'select 1 where a not between 1 and 2', 'user-operator', '<'],
  [{ operators: new Set(['<']) }, 'select a from t order by a using <', 'user-operator', '<'],
  [{ operators: new Set(['>']) }, 'select a > all (select 1) from t', 'user-operator', '>'],
  [{ operators: new Set(['~~']) }, `select a like 'b' from t`, 'user-operator', '~~'],

  [inet, 'select $1::inet', 'cast', 'inet'],
  [inet, 'select $1::inet[]', 'cast', 'inet'],
  [inet, `select inet '10.0.0.1'`, 'cast', 'inet'],
  [inet, 'select date($1)', 'cast', 'date'],
  [mood, 'select $1::moods', 'cast', 'moods'],
  [{ safeTypes: new Set(['a']), unsafeTypes: new Set(['a']) }, 'select $1::a', 'cast', 'a'],
  [{ unnamed: ['cast from a to b'] }, 'select 1', 'user-cast', 'cast from a to b'],
  [trigrams, 'select app.lower($1)', 'user-function', 'app.lower'],
  [{ standardStrings: false }, `select 'a\\' || '; delete from t; --'`, 'string-escapes'],
]

describe('names that were made in the database', () => {
  test.each(notProven.map(([made, text, ...expected]) => ({ made, text, expected: expected.join(' ') })))(
    'count in $text',
    ({ made, text, expected }) => {
      const kind = expected === 'string-escapes' ? 'other' : 'read-on-primary'
      expect(judged(made, text)).toBe(`${kind} ${expected}`)
    },
  )

  test.each<readonly [Partial<CatalogNames>, string]>([
    [view, 'with v as (select 1) select * from v'],
    [view, 'with v as (select 1), a as (select * from v) select * from a'],
    [view, 'with recursive v as (select 1 union select * from v) select 1'],
    [view, 'with recursive a as (select * from v), v as (select 1) select 1'],
    [view, 'with v as (select 1) (select * from v) union (select * from (select * from v) a)'],
    [view, 'with v as (select 1) select (select 1 from v order by (select 1 from v))'],
    [view, 'select v, t.v from t'],
    [total, 'select total from t'],
    [total, 'select total.a from total'],
    [{ functions: new Set(['total']) }, 'select t.total from t'],
    [mood, `select $1::mood, 'sad'::app.mood, array['sad']::mood[]`],
    [
      trigrams,
      `select similarity(a, 'b'), app.similarity(a, 'b'), a <<-> 'b', a operator(app.<<->) 'b', a = 'b' from t`,
    ],
    [inet, 'select $1::cidr, date_trunc($2, $3)'],
  ])('do not count in %o: %s', (made, text) => {
    expect(judged(made, text)).toBe('read proven-read')
  })

  test('are waited for: until then nothing is proven, and what changes rows is told', () => {
    classifier.setNames(undefined)
    expect(classifier.classify('select 1')).toMatchObject({
      kind: 'read-on-primary',
      reason: 'names-unknown',
      maySetParameters: true,
    })
    expect(classifier.classify('select version()')).toMatchObject({ reason: 'function', detail: 'version' })
    expect(classifier.classify('insert into t values (1)')).toMatchObject({
      kind: 'row-change',
      maySetParameters: false,
    })
    expect(classifier.classify('commit')).toMatchObject({ kind: 'commit' })
  })

  test('are forgotten with all that was remembered of texts', () => {
    expect(judged({}, 'select * from v')).toBe('read proven-read')
    expect(judged(view, 'select * from v')).toBe('read-on-primary relation-not-plain v (view)')
  })
})
