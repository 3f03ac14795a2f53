import { beforeAll, describe, expect, test } from 'vitest'
import { Classifier, longestParsed } from './classify.js'
import { namesWith } from './names.fixture.js'
import type { Statement, StatementKind, StatementReason } from './statement.js'

const classifier = new Classifier()

beforeAll(async () => {
  await classifier.load()
  classifier.setNames(namesWith())
})

/** Kind, reason and detail in one line, as the tables have it. */
function inShort({ kind, reason, detail }: Statement): string {
  return [kind, reason, ...(detail === undefined ? [] : [detail])].join(' ')
}

describe('a proven read is', () => {
  test.each([
    'select 1',
    'SELECT * FROM orders WHERE id = $1;',
    'select o.*, count(*) over (partition by o.a order by o.b) from s.orders o left join t using (id) where o.c like $1 limit 10 offset 5',
    'table orders',
    'values (1, 2), (3, 4)',
    'with a as (select 1), b as materialized (select * from a) select * from b',
    'with recursive a (n) as (values (1) union all select n + 1 from a where n < 5) select sum(n) from a',
    'select 1 union select 2 intersect select 3 except all select 4 order by 1',
    'select distinct on (a) a, b from t order by a, b desc nulls last fetch first 3 rows with ties',
    'select a, grouping(a, b) from t group by grouping sets ((a), rollup (a, b), cube (a)) having count(*) > 1',
    'select * from t, lateral (select * from u where u.id = t.id limit 1) x',
    'select * from rows from (generate_series(1, 3), unnest($1::int[])) with ordinality as x (a, b, c)',
    'select * from t tablesample bernoulli (10) repeatable (1)',
    `select coalesce(a, 0), nullif(a, b), greatest(a, b), case a when 1 then 'x' else 'y' end, a is distinct from b from t`,
    'select (a).b, c[1], c[1:2], row(1, 2) = (1, 2), array[1, 2] && $1, a = any ($2), (select 1), exists (select 1) from t',
    `select '2020-01-01'::date, cast(a as numeric(10, 2)), interval '1 day', date '2020-01-01', a::text[] from t`,
    `select now(), current_timestamp, current_user, current_date, localtime, random(), gen_random_uuid()`,
    `select json_build_object('a', a), to_jsonb(t), data ->> 'x', data @> '{}', data @? '$.a', jsonb_path_query(data, '$') from t t`,
    `select json_object('a': 1), json_array(1, 2), json_arrayagg(a), json_value(b, '$' returning int), a is json from t`,
    `select * from json_table($1, '$[*]' columns (a int path '$.a', nested path '$.b' columns (c text)))`,
    `select xmlelement(name x, xmlattributes(a as b), xmlforest(c)), xmlserialize(content d as text) from t`,
    `select * from xmltable('/a' passing $1 columns b int path '@b')`,
    `select * from json_to_recordset($1) as x (a int, b text)`,
    `select to_tsvector('english', a) @@ plainto_tsquery($1), ts_rank_cd(v, q) from t`,
    `select extract(year from a), a at time zone 'utc', overlay(b placing 'x' from 1), trim(both from b), substring(b from 1), position('a' in b) from t`,
    `select string_agg(a, ',' order by b) filter (where c), percentile_cont(0.5) within group (order by d) from t`,
    `select a from t order by a using <`,
    `select 1 operator(pg_catalog.+) 2, pg_catalog.lower('A'), "lower"('A')`,
    `select ctid, xmin, tableoid from t`,
    `select relname from pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace`,
    `select a collate "C" from t where a between $1 and $2 and b not between symmetric 1 and 2 and c similar to 'a' and d in (1, 2)`,
    `with pg_stat_activity as (select 1) select * from pg_stat_activity`,
    '/* nothing said */ select 1 -- maestra: primary',
    `select '/* maestra: primary */', "/* maestra: primary */", $a$/* maestra: primary */$a$ from t`,
  ])('%s', (text) => {
    expect(inShort(classifier.classify(text))).toBe('read proven-read')
    expect(classifier.classify(text)).toMatchObject({ single: true, mayWrite: false, maySetParameters: false })
  })
})

const others: readonly (readonly [text: string, kind: StatementKind, reason: StatementReason, detail?: string])[] = [
  ['select * from t for update', 'read-on-primary', 'locking-clause'],
  ['select * from (select * from t for no key update) x', 'read-on-primary', 'locking-clause'],
  ['with a as (select * from t for share skip locked) select 1', 'read-on-primary', 'locking-clause'],
  ['select 1 where exists (select from t for key share)', 'read-on-primary', 'locking-clause'],
  ['select 1 as a into b', 'other', 'select-into'],
  ['select a into temp b from t', 'other', 'select-into'],
  ['with a as (insert into t values (1) returning *) select * from a', 'other', 'data-changing-cte', 'InsertStmt'],
  ['with a as (delete from t) select 1', 'other', 'data-changing-cte', 'DeleteStmt'],
  [
    'select * from (with a as (update t set b = 1 returning 1) select * from a) x',
    'other',
    'data-changing-cte',
    'UpdateStmt',
  ],
  ['with a as (delete from t returning *) insert into u select * from a', 'other', 'data-changing-cte', 'DeleteStmt'],
  [`select nextval('s')`, 'read-on-primary', 'function', 'nextval'],
  [`select pg_catalog.nextval('s')`, 'read-on-primary', 'function', 'pg_catalog.nextval'],
  [`select "nextval"('s')`, 'read-on-primary', 'function', 'nextval'],
  ['select lastval()', 'read-on-primary', 'function', 'lastval'],
  ['select version()', 'read-on-primary', 'function', 'version'],
  ['select inet_server_addr()', 'read-on-primary', 'function', 'inet_server_addr'],
  ['select pg_backend_pid()', 'read-on-primary', 'function', 'pg_backend_pid'],
  [`select set_config('a.b', 'c', false)`, 'read-on-primary', 'function', 'set_config'],
  [`select pg_advisory_lock(1)`, 'read-on-primary', 'function', 'pg_advisory_lock'],
  [`select query_to_xml('delete from t', true, true, '')`, 'read-on-primary', 'function', 'query_to_xml'],
  ['select * from t where a = txid_current()', 'read-on-primary', 'function', 'txid_current'],
  ['select 1 order by currval($1)', 'read-on-primary', 'function', 'currval'],
  ['select * from t limit pg_backend_pid()', 'read-on-primary', 'function', 'pg_backend_pid'],
  [`select ('s'::text).nextval`, 'read-on-primary', 'function', 'nextval'],
  ['select app.refresh()', 'read-on-primary', 'user-function', 'app.refresh'],
  ['select 1 operator(app.+) 2', 'read-on-primary', 'operator', 'app.+'],
  ['select a <<-> b from t', 'read-on-primary', 'operator', '<<->'],
  ['select $1::email', 'read-on-primary', 'cast', 'email'],
  ['select * from json_to_record($1) as x (a email)', 'read-on-primary', 'cast', 'email'],
  ['select * from t tablesample system_rows (1)', 'read-on-primary', 'function', 'system_rows'],
  ['select * from pg_stat_activity', 'read-on-primary', 'relation-not-plain', 'pg_stat_activity (view)'],
  ['select * from pg_catalog.pg_stat_activity', 'read-on-primary', 'relation-not-plain', 'pg_stat_activity (view)'],
  ['select * from information_schema.columns', 'read-on-primary', 'relation-not-plain', 'information_schema.columns'],
  ['show search_path', 'read-on-primary', 'show'],
  ['explain select 1', 'read-on-primary', 'explain'],
  ['explain delete from t', 'other', 'explain'],
  ['insert into t (a) values ($1) returning *', 'row-change', 'row-change', 'INSERT'],
  [
    'insert into t select * from u on conflict (a) where b do update set c = excluded.c',
    'row-change',
    'row-change',
    'INSERT',
  ],
  [`insert into t values (nextval('s'), default)`, 'row-change', 'row-change', 'INSERT'],
  ['insert into t default values', 'row-change', 'row-change', 'INSERT'],
  ['update t set (a, b) = (select 1, 2), c = default from u where u.id = t.id', 'row-change', 'row-change', 'UPDATE'],
  ['with a as (select 1) delete from t using a where b = 1', 'row-change', 'row-change', 'DELETE'],
  [
    'merge into t using u on t.id = u.id when matched and u.a then update set b = 1 when not matched then insert values (1)',
    'row-change',
    'row-change',
    'MERGE',
  ],
  ['insert into t select app.f()', 'other', 'user-function', 'app.f'],
  [`update t set a = set_config('a.b', 'c', false)`, 'other', 'function', 'set_config'],
  ['begin', 'begin', 'transaction-control'],
  ['start transaction isolation level serializable, read only, deferrable', 'begin', 'transaction-control'],
  ['commit and chain', 'commit', 'transaction-control'],
  ['end', 'commit', 'transaction-control'],
  [`prepare transaction 'a'`, 'commit', 'transaction-control'],
  [`commit prepared 'a'`, 'other', 'utility', 'TransactionStmt'],
  ['rollback', 'rollback', 'transaction-control'],
  ['abort', 'rollback', 'transaction-control'],
  ['savepoint a', 'savepoint', 'transaction-control'],
  ['rollback to savepoint a', 'savepoint', 'transaction-control'],
  ['release a', 'savepoint', 'transaction-control'],
  ['set transaction read only', 'other', 'utility', 'VariableSetStmt'],
  ['select 1; select 2', 'other', 'several-statements'],
  ['begin; select 1; commit', 'other', 'several-statements'],
  ['copy t to stdout', 'other', 'utility', 'CopyStmt'],
  ['declare c cursor for select 1', 'other', 'utility', 'DeclareCursorStmt'],
  ['prepare a as select 1', 'other', 'utility', 'PrepareStmt'],
  ['listen a', 'other', 'utility', 'ListenStmt'],
  ['', 'read-on-primary', 'empty-text'],
  ['-- nothing', 'read-on-primary', 'empty-text'],
  ['selec 1', 'other', 'unparsable'],
  ['select 1\0', 'other', 'unparsable'],
]

describe('no proven read is', () => {
  test.each(others.map(([text, ...expected]) => [text, expected.join(' ')]))('%s', (text = '', expected) => {
    expect(inShort(classifier.classify(text))).toBe(expected)
  })
})

describe('a text that is not parsed', () => {
  const long = (text: string): string => `${text} /* ${'x'.repeat(longestParsed)} */`

  test.each([
    ['select 1', 'read-on-primary'],
    ['insert into t values (1)', 'other'],
    ['begin', 'begin'],
    ['/* a /* b */ ; */ rollback to a', 'savepoint'],
    ['create view a as select 1', 'other'],
  ])('because it is long: %s', (text, kind) => {
    expect(classifier.classify(long(text))).toMatchObject({ kind, reason: 'too-long', single: false })
  })

  test.each([
    ['(select 1)', 'read-on-primary'],
    ['insert into t values (1)', 'other'],
    ['-- a\n  START Transaction', 'begin'],
    ['end;', 'commit'],
    [`commit prepared 'a'`, 'other'],
    ['begin; select 1', 'other'],
    [`select ';' || "a;b" || $x$;$x$ || E'\\';'`, 'read-on-primary'],
  ])('because there is no grammar: %s', (text, kind) => {
    expect(new Classifier().classify(text)).toMatchObject({ kind, reason: 'grammar-not-loaded', single: false })
  })
})
