import { type Sandbox, startSandbox } from 'maestra'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  allowedFunctions,
  functionGroups,
  keepsSettings,
  namesOf,
  rowChangeFunctions,
} from '../../packages/client/src/routing/statement/allowed-functions.js'
import { allowedOperators } from '../../packages/client/src/routing/statement/allowed-operators.js'
import { allowedTypes } from '../../packages/client/src/routing/statement/allowed-types.js'
import {
  type CatalogNames,
  type CatalogNamesRow,
  catalogNamesQuery,
  parseCatalogNames,
} from '../../packages/client/src/routing/statement/catalog-names.js'
import { sql } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let sandbox: Sandbox

/** Functions that give another value at each call, on any server. */
const givesAnother =
  `array_sample array_shuffle clock_timestamp gen_random_uuid pg_sleep pg_sleep_for pg_sleep_until random
  random_normal timeofday uuidv4 uuidv7`.split(/\s+/)
/** PostgreSQL 14 declares one form of AT TIME ZONE volatile, which later versions do not. */
const volatileBefore15 = ['timezone']
/**
 * What PostgreSQL does not run in parallel workers, though it writes nothing: the seed of random is the leader's, current_schema
 * may make a schema for temporary tables, age of a transaction number looks at the session's.
 */
const notParallel = ['age', 'current_schema', 'current_schemas', 'pg_get_viewdef', 'random', 'random_normal']

/** What somebody makes in a database, and what of it makes a text unproven. */
const made = `
  create schema app;
  create table plain (id int primary key, data jsonb);
  create table parted (id int, at date) partition by range (at);
  create table parted_1 partition of parted for values from ('2020-01-01') to ('2021-01-01');
  create materialized view stored as select 1 as a;
  create view app.seen as select * from plain;
  create sequence app.counter;
  create table app.identified (id int generated always as identity);
  create unlogged table fleeting (a int);
  create table guarded (a int);
  alter table guarded enable row level security;
  create table forebear (a int);
  create table parent () inherits (forebear);
  create unlogged table child () inherits (parent);
  create table mixed (a int) partition by list (a);
  create unlogged table mixed_1 partition of mixed for values in (1);
  create view "Überblick" as select 1 as a;

  create type mood as enum ('sad', 'happy');
  create type app.mixed_kind as enum ('a');
  create type public.mixed_kind as (a int);
  create domain email as text check (value like '%@%');
  create type pair as (a int, b int);
  create table "inet" (a int);

  create function total(pair) returns int language sql as 'select $1.a + $1.b';
  create function app.lower(text, int) returns text language sql as 'select $1';
  create function optional(a int default 1, b int default 2) returns int language sql as 'select 1';
  create function two(int, int) returns int language sql as 'select 1';
  create function touched() returns trigger language plpgsql as 'begin return new; end';
  create procedure work() language sql as 'select 1';
  create aggregate product(int) (sfunc = int4mul, stype = int);
  create function joined(pair, pair) returns bool language sql as 'select true';
  create operator app.=== (leftarg = pair, rightarg = pair, function = joined);
  create function to_pair(text) returns pair language sql as 'select null::pair';
  create cast (text as pair) with function to_pair(text);
  create extension citext; create extension hstore schema app; create extension pg_trgm; create extension "uuid-ossp";
  create extension tablefunc`

async function catalogNames(url: string, before = ''): Promise<CatalogNames> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    if (before !== '') await client.query(before)
    const { rows } = await client.query<CatalogNamesRow>(catalogNamesQuery)
    const [row] = rows
    if (row === undefined || rows.length !== 1) throw new Error(`${rows.length} rows of catalogue names`)
    return parseCatalogNames(row)
  } finally {
    await client.end()
  }
}

async function namesMade(): Promise<CatalogNames> {
  return await catalogNames(sandbox.primary.url)
}

/** Those of the names for which the condition on `name` does not hold. */
async function without(names: Iterable<string>, condition: string): Promise<readonly string[]> {
  const list = [...names].map((name) => `'${name}'`).join(', ')
  const rows = await sql<{ name: string }>(
    sandbox.primary.url,
    `select name from unnest(array[${list}]::text[]) name where not (${condition}) order by 1`,
  )
  return rows.map(({ name }) => name)
}

const isFunction = `exists (select from pg_proc where proname = name and oid < 16384 and pronamespace = 'pg_catalog'::regnamespace)`

/** The lists and the query of the classifier, held against a server of that version. */
export function describeClassify(version: number): void {
  describe(`what is classified for PostgreSQL ${version}`, () => {
    beforeAll(async () => {
      workspace = openWorkspace()
      process.env['MAESTRA_CACHE'] = workspace.cache
      sandbox = await startSandbox({ replicas: 1, version })
    })

    afterAll(async () => {
      await sandbox?.stop()
      await workspace.remove()
    })

    describe('of functions', () => {
      it('knows those that the server has, and since when', async () => {
        const there = functionGroups.filter(({ since = 0 }) => since <= version)
        const later = functionGroups.filter(({ since = 0 }) => since > version)
        expect(await without(there.flatMap(namesOf), isFunction)).toEqual([])
        expect(await without(later.flatMap(namesOf), `not ${isFunction}`)).toEqual([])
      })

      it('allows none of which an overload is volatile, but for clocks and chance', async () => {
        const isCalm = `not exists (select from pg_proc where proname = name and oid < 16384 and provolatile = 'v')`
        const expected = await without(
          version < 15 ? [...givesAnother, ...volatileBefore15] : givesAnother,
          `not ${isFunction}`,
        )
        expect(await without(allowedFunctions, isCalm)).toEqual(expected.toSorted())
      })

      it('allows none of which an overload is not for parallel workers, who cannot write, but for those that are known', async () => {
        const isParallel = `not exists (select from pg_proc where proname = name and oid < 16384 and proparallel <> 's')`
        expect(await without(allowedFunctions, isParallel)).toEqual(await without(notParallel, `not ${isFunction}`))
      })

      it('says of none that it changes no setting which the server does not have', async () => {
        const ofThisVersion = [...keepsSettings, ...rowChangeFunctions].filter((name) => name !== 'merge_action')
        expect(await without(ofThisVersion, isFunction)).toEqual([])
      })
    })

    it('knows operators that the server has, none of which is more than a function of its operands', async () => {
      const isOperator = 'exists (select from pg_operator where oprname = name and oid < 16384)'
      expect(await without(allowedOperators, isOperator)).toEqual([])
      const isCalm = `not exists (select from pg_operator o join pg_proc p on p.oid = o.oprcode
        where o.oprname = name and o.oid < 16384 and (p.provolatile = 'v' or p.proparallel <> 's'))`
      expect(await without(allowedOperators, isCalm)).toEqual([])
    })

    it('knows types that the server has, to which no cast of its own is more than a conversion', async () => {
      const isType = `exists (select from pg_type where typname = name and oid < 16384 and typtype <> 'p' and typtype <> 'd'
        and typnamespace = 'pg_catalog'::regnamespace)`
      expect(await without(allowedTypes, isType)).toEqual([])
      const isCalm = `not exists (select from pg_cast c join pg_type t on t.oid = c.casttarget join pg_proc p on p.oid = c.castfunc
        where t.typname = name and c.oid < 16384 and (p.provolatile = 'v' or p.proparallel <> 's'))`
      expect(await without(allowedTypes, isCalm)).toEqual([])
    })

    describe('of what was made', () => {
      beforeAll(async () => {
        const { relations } = await namesMade()
        expect([...relations].filter(([name]) => !name.startsWith('pg_'))).toEqual([])
        await sql(sandbox.primary.url, made)
      })

      it('finds relations that are not plain, and the ancestors of such', async () => {
        const { relations } = await namesMade()
        const ours = [...relations].filter(([name]) => !name.startsWith('pg_')).toSorted()
        expect(Object.fromEntries(ours)).toEqual({
          child: 'unlogged',
          counter: 'sequence',
          fleeting: 'unlogged',
          forebear: 'unlogged',
          guarded: 'row-security',
          identified_id_seq: 'sequence',
          mixed: 'unlogged',
          mixed_1: 'unlogged',
          parent: 'unlogged',
          seen: 'view',
          Überblick: 'view',
        })
        expect(relations.get('pg_stat_activity')).toBe('view')
        expect(relations.has('pg_class')).toBe(false)
      })

      it('finds functions, without those of triggers, procedures and harmless extensions', async () => {
        const { functions, extensionFunctions } = await namesMade()
        const expected = ['joined', 'lower', 'optional', 'product', 'to_pair', 'total', 'two']
        for (const name of [...expected, 'crosstab', 'populate_record', 'uuid_generate_v4'])
          expect(functions).toContain(name)
        for (const name of ['touched', 'work', 'similarity', 'akeys', 'now']) expect(functions).not.toContain(name)
        for (const name of ['similarity', 'akeys', 'citext_eq']) expect(extensionFunctions).toContain(name)
        // citext has one, and so has PostgreSQL: what counts is whether its own is allowed.
        for (const set of [functions, extensionFunctions]) expect(set).not.toContain('replace')
      })

      it('finds what can be called as if it were a column', async () => {
        const { notations } = await namesMade()
        for (const name of ['total', 'optional', 'pg_sleep', 'nextval']) expect(notations).toContain(name)
        for (const name of ['two', 'product_of', 'similarity', 'abs']) expect(notations).not.toContain(name)
      })

      it('finds operators, and those that harmless extensions alone have made', async () => {
        const { operators, extensionOperators } = await namesMade()
        expect(operators).toEqual(new Set(['===', '#=']))
        for (const name of ['=', '%', '<->', '->']) expect(extensionOperators).toContain(name)
      })

      it('finds types to which a conversion runs nothing, and those of a name that is not theirs alone', async () => {
        const { safeTypes, unsafeTypes } = await namesMade()
        for (const name of ['mood', 'citext', 'hstore']) expect(safeTypes).toContain(name)
        for (const name of ['email', 'pair', 'mixed_kind', 'plain']) expect(safeTypes).not.toContain(name)
        expect(unsafeTypes).toEqual(new Set(['inet', 'pair']))
      })

      it.each([
        [
          'cast from mood to integer',
          `create function as_int(mood) returns int language sql as 'select 1';
           create cast (mood as int) with function as_int(mood) as implicit`,
        ],
        [
          'cast from pair to json',
          `create function as_json(pair) returns json language sql as 'select null::json';
           create cast (pair as json) with function as_json(pair)`,
        ],
        ['cast from name to bigint', 'create cast (name as bigint) with function pg_database_size(name) as implicit'],
        ['cast from text to pair', 'drop cast (text as pair); create cast (text as pair) with inout as implicit'],
        [
          'operator class odd',
          `create function mood_hash(mood) returns int language sql immutable as 'select 1';
           create operator class odd for type mood using hash as function 1 mood_hash(mood)`,
        ],
      ])('finds what is called without being named: %s', async (what, text) => {
        expect((await namesMade()).unnamed).toEqual([])
        expect((await catalogNames(sandbox.primary.url, `begin; ${text}`)).unnamed).toEqual([what])
      })

      it('takes a conversion to an enumeration by its input function for what it is', async () => {
        const names = await catalogNames(
          sandbox.primary.url,
          'begin; create cast (varchar as mood) with inout as implicit',
        )
        expect(names).toEqual(await namesMade())
      })

      it('is told to a role that may only log in', async () => {
        await sql(sandbox.primary.url, `create role plain_role login password 'plain'`)
        const url = sandbox.primary.url.replace(/\/\/[^@]+@/, '//plain_role:plain@')
        expect(await catalogNames(url)).toEqual(await namesMade())
      })

      it('is told whatever stands in front of pg_catalog in the search_path', async () => {
        const types = ['name', 'oid', '"char"', 'text', 'smallint']
        const evil = types.map(
          (type) => `create function evil.never(${type}, ${type}) returns bool language sql as 'select false';
            create operator evil.= (leftarg = ${type}, rightarg = ${type}, function = evil.never);
            create operator evil.<> (leftarg = ${type}, rightarg = ${type}, function = evil.never)`,
        )
        const before = `begin; create schema evil; ${evil.join(';')}; create function evil.json_agg(name) returns json
          language sql as 'select null::json'; set search_path to evil, pg_catalog`
        const seen = await catalogNames(sandbox.primary.url, before)
        const mine = await namesMade()
        expect(seen).toEqual({
          ...mine,
          functions: new Set([...mine.functions, 'never', 'json_agg']),
          notations: new Set([...mine.notations, 'json_agg']),
          operators: new Set([...mine.operators, '=', '<>']),
          extensionOperators: new Set([...mine.extensionOperators].filter((name) => name !== '=' && name !== '<>')),
        })
      })
    })
  })
}
