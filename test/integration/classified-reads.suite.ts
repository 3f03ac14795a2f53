import fc from 'fast-check'
import { type Sandbox, startSandbox } from 'maestra'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allowedFunctions } from '../../packages/client/src/routing/statement/allowed-functions.js'
import {
  type CatalogNamesRow,
  catalogNamesQuery,
  parseCatalogNames,
} from '../../packages/client/src/routing/statement/catalog-names.js'
import { Classifier } from '../../packages/client/src/routing/statement/classify.js'
import { seed } from '../harness/seed.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let sandbox: Sandbox
let primary: pg.Client
let standby: pg.Client
const classifier = new Classifier()

const tables = `
  create type mood as enum ('sad', 'happy');
  create table orders (id int primary key, customer int, total numeric, at timestamptz, note text, data jsonb, tags text[], mood mood);
  insert into orders select n, n % 3, n * 1.5, '2020-01-01'::timestamptz + n * interval '1 day', 'note ' || n,
    jsonb_build_object('n', n, 'list', jsonb_build_array(n, n + 1)), array['a', 'b' || n], 'happy' from generate_series(1, 20) n;
  create table events (id int, at date, kind text) partition by range (at);
  create table events_1 partition of events for values from ('2020-01-01') to ('2021-01-01');
  insert into events select n, '2020-01-01'::date + n, 'k' || n % 2 from generate_series(1, 9) n;
  create materialized view totals as select customer, sum(total) as total from orders group by customer;
  create sequence counter;
  create view counted as select nextval('counter') as id, 1 as customer;
  create unlogged table fleeting (id int, customer int);
  create table written (a int);
  create function writes(int) returns int language sql as 'insert into written values ($1) returning 1'`

/** What a server answers: rows as JSON, or the SQLSTATE. */
async function answer(client: pg.Client, text: string, { sorted = true } = {}): Promise<string> {
  try {
    const { rows } = await client.query({ text, rowMode: 'array' })
    const lines = rows.map((row) => JSON.stringify(row))
    return (sorted ? lines.toSorted() : lines).join('\n')
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** The same in a transaction that may not write. */
async function answerReadOnly(client: pg.Client, text: string): Promise<string> {
  await client.query('begin transaction read only')
  try {
    return await answer(client, text)
  } finally {
    await client.query('rollback')
  }
}

/** A value of each type that functions take; of other types NULL is given. */
const samples: Readonly<Record<string, string>> = {
  any: '1',
  '"any"': '1',
  anyelement: '1',
  anynonarray: '1',
  anycompatible: '1',
  anycompatiblenonarray: '1',
  anyarray: 'array[1, 2]',
  anycompatiblearray: 'array[1, 2]',
  anyrange: 'int4range(1, 5)',
  anycompatiblerange: 'int4range(1, 5)',
  anymultirange: 'int4multirange(int4range(1, 5))',
  anycompatiblemultirange: 'int4multirange(int4range(1, 5))',
  anyenum: `'sad'::mood`,
  record: 'row(1, 2)',
  boolean: 'true',
  integer: '2',
  bigint: '2::int8',
  smallint: '2::int2',
  numeric: '2.5',
  real: '0.5::float4',
  'double precision': '0.01::float8',
  money: `'1.5'::money`,
  text: `'orders'::text`,
  'character varying': `'orders'::varchar`,
  character: `'orders'::bpchar`,
  name: `'orders'::name`,
  '"char"': `'r'::"char"`,
  bytea: `'\\x6f7264'::bytea`,
  bit: `b'101'`,
  'bit varying': `b'101'::varbit`,
  date: `'2020-02-03'::date`,
  'time without time zone': `'10:11:12'::time`,
  'time with time zone': `'10:11:12+00'::timetz`,
  'timestamp without time zone': `'2020-02-03 10:11:12'::timestamp`,
  'timestamp with time zone': `'2020-02-03 10:11:12+00'::timestamptz`,
  interval: `'1 ms'::interval`,
  json: `'{"a": [1, 2]}'::json`,
  jsonb: `'{"a": [1, 2]}'::jsonb`,
  jsonpath: `'$.a[*]'::jsonpath`,
  uuid: `'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid`,
  xml: `'<a>1</a>'::xml`,
  tsvector: `to_tsvector('simple', 'a b')`,
  tsquery: `to_tsquery('simple', 'a & b')`,
  regconfig: `'simple'::regconfig`,
  regdictionary: `'simple'::regdictionary`,
  regclass: `'orders'::regclass`,
  regtype: `'mood'::regtype`,
  oid: `'orders'::regclass::oid`,
  inet: `'10.1.2.3/8'::inet`,
  cidr: `'10.0.0.0/8'::cidr`,
  macaddr: `'08:00:2b:01:02:03'::macaddr`,
  macaddr8: `'08:00:2b:01:02:03:04:05'::macaddr8`,
  point: `'(1,2)'::point`,
  box: `'(2,2),(0,0)'::box`,
  circle: `'<(1,1),2>'::circle`,
  path: `'((0,0),(1,1),(2,0))'::path`,
  polygon: `'((0,0),(1,1),(2,0))'::polygon`,
  lseg: `'[(0,0),(1,1)]'::lseg`,
  line: `'{1,-1,0}'::line`,
  pg_lsn: `'0/16B3748'::pg_lsn`,
  'text[]': `array['a', 'b']`,
  'integer[]': 'array[1, 2]',
  'double precision[]': 'array[0.5]::float8[]',
  '"char"[]': `array['r']::"char"[]`,
  daterange: `daterange('2020-01-01', '2020-02-01')`,
  int4range: 'int4range(1, 5)',
  int8range: 'int8range(1, 5)',
  numrange: 'numrange(1, 5)',
  tsrange: `tsrange('2020-01-01', '2020-02-01')`,
  tstzrange: `tstzrange('2020-01-01', '2020-02-01')`,
}

type Overload = {
  readonly name: string
  readonly kind: 'f' | 'a' | 'w'
  readonly types: readonly string[]
  readonly direct: number
  readonly ordered: boolean
  readonly volatility: string
}

async function overloads(): Promise<readonly Overload[]> {
  const list = [...allowedFunctions].map((name) => `'${name}'`).join(', ')
  return await sql<Overload>(
    sandbox.primary.url,
    `select p.proname::text as name, p.prokind as kind, p.provolatile as volatility, coalesce(a.aggnumdirectargs, 0)::int as direct,
       coalesce(a.aggkind <> 'n', false) as ordered,
       array(select format_type(t, null)::text from unnest(p.proargtypes) with ordinality u (t, n) order by n) as types
     from pg_proc p left join pg_aggregate a on a.aggfnoid = p.oid
     where p.oid < 16384 and p.proname = any (array[${list}]) and p.prokind <> 'p'
       and p.prorettype <> all (array['internal', 'cstring', 'trigger']::regtype[])
       and not 'internal'::regtype = any (p.proargtypes) and not 'cstring'::regtype = any (p.proargtypes)
     order by 1, p.oid`,
  )
}

/** A query that calls it; undefined where its way of being called is not one that a list of types tells. */
function callOf({ name, kind, types, ordered, direct }: Overload): string | undefined {
  const values = types.map((type) => samples[type] ?? `null::${type}`)
  if (kind === 'w') return `select pg_catalog.${name}(${values.join(', ')}) over (order by id) from orders`
  if (!ordered) return `select pg_catalog.${name}(${values.join(', ')})${kind === 'a' ? ' from events' : ''}`
  const sortedBy = values.slice(direct).join(', ') || 'id'
  return `select pg_catalog.${name}(${values.slice(0, direct).join(', ')}) within group (order by ${sortedBy}) from events`
}

/** Moves by itself on every server: clocks, chance, and the age of a transaction number. */
function moves({ name, volatility }: Overload): boolean {
  return volatility === 'v' || /^(now|age|statement_timestamp|transaction_timestamp)$/.test(name)
}

/** Parts of queries, harmless ones and others: what is classed as a read has to be one whatever it is made of. */
const scalars = [
  'o.id',
  'o.customer + 1',
  'o.total * 2',
  `o.note || 'x'`,
  `(o.data ->> 'n')::int`,
  'o.tags[1]',
  `coalesce(o.note, 'none')`,
  `case o.customer when 1 then 'a' else 'b' end`,
  'row_number() over (order by o.id)',
  '(select max(id) from events)',
  'exists (select 1 from totals t where t.customer = o.customer)',
  'o.id in (select id from events)',
  'o.mood',
  `'sad'::mood < o.mood`,
  'to_jsonb(o)',
  'md5(o.note)',
  `date_trunc('month', o.at at time zone 'utc')`,
  'array(select kind from events order by id)',
  `nextval('counter')`,
  `('counter'::regclass).nextval`,
  'writes(o.id)',
  '(o.id).writes',
  'pg_is_in_recovery()',
  'txid_current()',
  'inet_server_port()',
  `current_setting('port')`,
  `set_config('work_mem', '5MB', true)`,
  `lo_creat(-1)`,
  `pg_backend_pid()`,
  `query_to_xml('insert into written values (1)', true, true, '')`,
]
const sources = [
  'orders o',
  '(select * from orders) o',
  'orders o tablesample system (100)',
  'orders o join events e using (id)',
  'orders o natural left join totals',
  'orders o, lateral (select e.kind from events e where e.id = o.id) l',
  'orders o cross join generate_series(1, 2) g',
  `orders o left join jsonb_to_record('{"a": 1}') as j (a int) on true`,
  '(select id, customer from counted) o',
  'fleeting o',
  '(table fleeting) o',
  '(select * from orders for update) o',
  'pg_stat_activity a join orders o on true',
]
const tails = ['', 'where o.id < 5', 'where o.id = any (array[1, 2])', 'limit 3', 'for share', 'order by 1', 'offset 2']
const wraps: readonly ((query: string) => string)[] = [
  (query) => query,
  (query) => `with a as (${query}) select * from a`,
  (query) =>
    `with recursive a (n) as (select 1 union all select n + 1 from a where n < 3) select * from a, (${query}) q`,
  (query) => `select count(*) from (${query}) q`,
  (query) => `(${query}) union all (select * from (${query}) q)`,
  (query) => `with a as (insert into written values (1) returning a) select * from a, (${query}) q`,
  (query) => `select * into temp made from (${query}) q`,
  (query) => `${query}; insert into written values (1)`,
]

/** What is classed as a read, run on a primary and on a standby. */
export function describeClassifiedReads(version: number): void {
  describe(`a read, as it is classified, of PostgreSQL ${version}`, () => {
    beforeAll(async () => {
      workspace = openWorkspace()
      process.env['MAESTRA_CACHE'] = workspace.cache
      sandbox = await startSandbox({ replicas: 1, version })
      await sql(sandbox.primary.url, tables)
      primary = new pg.Client({ connectionString: sandbox.primary.url })
      standby = new pg.Client({ connectionString: sandbox.replicas[0]?.url })
      await Promise.all([primary.connect(), standby.connect()])
      await classifier.load()
      const { rows } = await primary.query<CatalogNamesRow>(catalogNamesQuery)
      classifier.setNames(parseCatalogNames(rows[0] as CatalogNamesRow))
      await untilRows(sandbox.replicas[0]?.url ?? '', `select to_regprocedure('writes(int)') is not null as there`, [
        { there: true },
      ])
    })

    afterAll(async () => {
      await Promise.all([primary?.end(), standby?.end()])
      await sandbox?.stop()
      await workspace.remove()
    })

    it('gives on a standby, in a read-only transaction, what it gives on the primary, for every form of every allowed function', async () => {
      const differences: unknown[] = []
      let reads = 0
      let succeeded = 0
      for (const overload of await overloads()) {
        const text = callOf(overload)
        if (text === undefined || classifier.classify(text).kind !== 'read') continue
        reads += 1
        const [expected, seen] = await Promise.all([answerReadOnly(primary, text), answerReadOnly(standby, text)])
        const failed = /^[0-9A-Z]{5}$/
        if (!failed.test(expected)) succeeded += 1
        const same = moves(overload) ? failed.test(expected) === failed.test(seen) : expected === seen
        if (!same) differences.push({ text, expected, seen })
      }
      expect(differences).toEqual([])
      expect(reads).toBeGreaterThan(600)
      expect(succeeded / reads).toBeGreaterThan(0.8)
    })

    it(`gives on a standby what it gives on the primary, whatever it is made of (seed ${seed})`, async () => {
      const query = fc.record({
        what: fc.array(fc.constantFrom(...scalars), { minLength: 1, maxLength: 3 }),
        from: fc.constantFrom(...sources),
        tail: fc.constantFrom(...tails),
        wrap: fc.constantFrom(...wraps),
      })
      const kinds = new Map<string, number>()
      await fc.assert(
        fc.asyncProperty(query, async ({ what, from, tail, wrap }) => {
          const columns = what.map((each, index) => `${each} as c${index}`).join(', ')
          const text = wrap(`select ${columns} from ${from} ${tail}`)
          const { kind } = classifier.classify(text)
          kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
          if (kind !== 'read') return
          const expected = await answerReadOnly(primary, text)
          expect(await answer(standby, text)).toBe(expected)
          expect(await answer(primary, text)).toBe(expected)
        }),
        { numRuns: 400, seed, endOnFailure: true },
      )
      expect(kinds.get('read')).toBeGreaterThan(20)
    })
  })
}
