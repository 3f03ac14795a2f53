import { harmlessExtensions, harmlessWhenStable, unprovenOfExtensions } from './harmless-extensions.js'

/** Why a relation is not a plain one. A parent that reads such a child has the kind of the child. */
export type NotPlain =
  | 'view'
  | 'foreign-table'
  | 'sequence'
  | 'temporary'
  | 'unlogged'
  | 'row-security'
  | 'access-method'

/**
 * What was made in a database and can make a text unproven, by bare names: whichever schema it is in, and whatever the
 * search_path says, a text that uses the name is not proven. "Made in the database" is an oid of 16384 or more.
 */
export type CatalogNames = {
  /** Relations that are not plain permanent tables, partitions or materialised views, and what reads one as its child. */
  readonly relations: ReadonlyMap<string, NotPlain>
  /** Functions made in the database, but for those of harmless extensions, trigger functions and procedures. */
  readonly functions: ReadonlySet<string>
  /**
   * Of those functions, and of PostgreSQL's that are not immutable, the ones that can be called with one argument:
   * `(x).pg_sleep` is a call, and so is `t.total` where the table has no such column.
   */
  readonly notations: ReadonlySet<string>
  readonly operators: ReadonlySet<string>
  /** Functions and operators that harmless extensions alone have made; functions of a name that PostgreSQL has too are not here. */
  readonly extensionFunctions: ReadonlySet<string>
  readonly extensionOperators: ReadonlySet<string>
  /** Types made in the database of which a conversion to them runs nothing: enumerations, types of harmless extensions. */
  readonly safeTypes: ReadonlySet<string>
  /** Types made in the database under the name of one of PostgreSQL, and those that a cast with a made function leads to. */
  readonly unsafeTypes: ReadonlySet<string>
  /** What was made and is called without being named: implicit casts, casts to json, operator classes. One stops all proofs. */
  readonly unnamed: readonly string[]
  /** standard_conforming_strings, without which a backslash ends strings elsewhere than the grammar thinks. */
  readonly standardStrings: boolean
}

/** The row of catalogNamesQuery: one column, JSON as text, which no type parser of the application touches. */
export type CatalogNamesRow = { readonly names: string }

type Parsed = {
  readonly [Name in keyof Omit<CatalogNames, 'relations' | 'standardStrings'>]: readonly string[] | null
} & {
  readonly relations: Readonly<Record<string, NotPlain>> | null
  readonly standardStrings: boolean
}

/** Reads the row of catalogNamesQuery. @public */
export function parseCatalogNames(row: CatalogNamesRow): CatalogNames {
  const parsed = JSON.parse(row.names) as Parsed
  const set = (names: readonly string[] | null): ReadonlySet<string> => new Set(names ?? [])
  return {
    relations: new Map(Object.entries(parsed.relations ?? {})),
    functions: set(parsed.functions),
    notations: set(parsed.notations),
    operators: set(parsed.operators),
    extensionFunctions: set(parsed.extensionFunctions),
    extensionOperators: set(parsed.extensionOperators),
    safeTypes: set(parsed.safeTypes),
    unsafeTypes: set(parsed.unsafeTypes),
    unnamed: parsed.unnamed ?? [],
    standardStrings: parsed.standardStrings,
  }
}

/** Written down as an array of SQL; the names are ours and hold no quotes. */
function array(names: readonly string[]): string {
  return `array[${names.map((name) => `'${name}'`).join(', ')}]::pg_catalog.name[]`
}

const readable = `
  with recursive extension as materialized (
    select d.classid, d.objid, e.extname from pg_catalog.pg_depend d
    join pg_catalog.pg_extension e on e.oid = d.refobjid
    where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.deptype = 'e'
      and e.extname = any (${array(harmlessExtensions)})
  ), made_function as materialized (
    select p.oid, p.proname, p.prokind, p.pronargs > 0 and p.pronargs - p.pronargdefaults <= 1 as takes_one, x.extname is not null
        and (p.provolatile = 'i' or p.provolatile = 's' and x.extname = any (${array(harmlessWhenStable)}))
        and p.proname <> all (${array(unprovenOfExtensions)}) as harmless
    from pg_catalog.pg_proc p
    left join extension x on x.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and x.objid = p.oid
    where p.oid >= 16384 and p.prorettype <> all (array['trigger', 'event_trigger']::pg_catalog.regtype[])
  ), function_name as (
    select m.proname, pg_catalog.bool_and(m.harmless) as harmless,
      exists (select from pg_catalog.pg_proc p where p.proname = m.proname and p.oid < 16384) as is_shared
    from made_function m where m.prokind <> 'p' group by m.proname
  ), operator_name as (
    select o.oprname, pg_catalog.bool_and(coalesce(f.harmless, p.provolatile = 'i')) as harmless
    from pg_catalog.pg_operator o
    left join pg_catalog.pg_proc p on p.oid = o.oprcode
    left join made_function f on f.oid = o.oprcode
    where o.oid >= 16384 group by o.oprname
  ), made_cast as (
    select t.typname, c.castcontext, c.casttarget, 
      pg_catalog.format_type(c.castsource, null) as source, pg_catalog.format_type(c.casttarget, null) as target
    from pg_catalog.pg_cast c
    join pg_catalog.pg_type t on t.oid = c.casttarget
    left join pg_catalog.pg_proc p on p.oid = c.castfunc
    left join made_function f on f.oid = c.castfunc
    where c.oid >= 16384 and case
      when c.castmethod = 'b' then false
      when c.castmethod = 'f' then not coalesce(f.harmless, p.oid < 16384 and p.provolatile = 'i')
      else t.typtype <> all (array['b', 'e']::pg_catalog."char"[]) end
  ), made_type as (
    select t.typname, t.typtype = 'e' or t.typtype <> 'c' and t.typtype <> 'd' and x.extname is not null as safe
    from pg_catalog.pg_type t
    left join extension x on x.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and x.objid = t.oid
    where t.oid >= 16384 and not (t.typcategory = 'A' and t.typelem <> 0)
  ), not_plain (oid, relname, kind) as (
    select c.oid, c.relname, case
      when c.relkind = 'v' then 'view'
      when c.relkind = 'f' then 'foreign-table'
      when c.relkind = 'S' then 'sequence'
      when c.relpersistence = 't' then 'temporary'
      when c.relpersistence = 'u' then 'unlogged'
      when c.relrowsecurity then 'row-security'
      else 'access-method' end
    from pg_catalog.pg_class c
    where (c.relkind = any (array['v', 'f', 'S']::pg_catalog."char"[])
        or c.relkind = any (array['r', 'p', 'm']::pg_catalog."char"[])
        and (c.relpersistence <> 'p' or c.relrowsecurity or c.relkind <> 'p' and c.relam <> 2))
      and (c.relnamespace <> 'information_schema'::pg_catalog.regnamespace
        or 'information_schema' = any (pg_catalog.current_schemas(false)))
    union
    select c.oid, c.relname, n.kind from not_plain n
    join pg_catalog.pg_inherits i on i.inhrelid = n.oid
    join pg_catalog.pg_class c on c.oid = i.inhparent
  )
  select pg_catalog.json_build_object(
    'relations', (select pg_catalog.json_object_agg(relname, kind)
      from (select relname, pg_catalog.min(kind) as kind from not_plain group by relname) r),
    'functions', (select pg_catalog.json_agg(proname) from function_name where not harmless),
    'extensionFunctions', (select pg_catalog.json_agg(proname) from function_name where harmless and not is_shared),
    'notations', (select pg_catalog.json_agg(proname) from (
      select proname from made_function where takes_one and not harmless
      union
      select p.proname from pg_catalog.pg_proc p
      where p.oid < 16384 and p.prokind = 'f' and p.provolatile <> 'i' and p.pronargs > 0
        and p.pronargs - p.pronargdefaults <= 1
        and p.prorettype <> all (array['trigger', 'event_trigger', 'internal', 'cstring']::pg_catalog.regtype[])
        and p.proargtypes[0] <> all (array['internal', 'cstring']::pg_catalog.regtype[])) n),
    'operators', (select pg_catalog.json_agg(oprname) from operator_name where not harmless),
    'extensionOperators', (select pg_catalog.json_agg(oprname) from operator_name where harmless),
    'safeTypes', (select pg_catalog.json_agg(typname)
      from (select typname from made_type group by typname having pg_catalog.bool_and(safe)) t),
    'unsafeTypes', (select pg_catalog.json_agg(typname)
      from (select m.typname from made_type m join pg_catalog.pg_type b on b.typname = m.typname
        where b.oid < 16384 and b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
        union select typname from made_cast) t),
    'unnamed', (select pg_catalog.json_agg(what) from (
      select 'cast from ' || source || ' to ' || target as what from made_cast
      where castcontext = 'i' or casttarget = any (array['json', 'jsonb']::pg_catalog.regtype[])
      union all
      select 'operator class ' || c.opcname from pg_catalog.pg_opclass c
      where c.oid >= 16384 and not exists (select from extension x
        where x.classid = 'pg_catalog.pg_opclass'::pg_catalog.regclass and x.objid = c.oid)) u),
    'standardStrings', pg_catalog.current_setting('standard_conforming_strings') = 'on'
  )::pg_catalog.text as names`

/**
 * One query for what was made in the database, for PostgreSQL 14 and later, and any role that may read the catalogue. Every
 * name in it is qualified, operators included: nobody's search_path changes what it asks. Its row is for parseCatalogNames. @public
 */
export const catalogNamesQuery: string = readable
  .replace(/\s+/g, ' ')
  .trim()
  .replace(/ (=|<>|<=|>=|<|>|-|\|\|) /g, ' operator(pg_catalog.$1) ')
