/**
 * Extensions whose functions and operators are computations over their arguments, so that the ones that they declare
 * immutable do not count as made by somebody. Left out are those that run a text or reach out (tablefunc, xml2, dblink, the
 * foreign-data wrappers), show the server (pg_stat_statements, pageinspect), or bring triggers and jobs. Of the
 * functions of these, some make a value of any type and could run a domain's check: they are named in `unprovenOfExtensions`.
 */
export const harmlessExtensions: readonly string[] = [
  'bloom',
  'btree_gin',
  'btree_gist',
  'citext',
  'cube',
  'earthdistance',
  'fuzzystrmatch',
  'hstore',
  'intarray',
  'isn',
  'ltree',
  'pg_trgm',
  'pgcrypto',
  'postgis',
  'seg',
  'unaccent',
  'uuid-ossp',
  'vector',
]

/** Extensions of which the functions that are declared stable are harmless too: they read a setting or a dictionary. */
export const harmlessWhenStable: readonly string[] = ['citext', 'pg_trgm', 'unaccent']

/** hstore's populate_record, and the operator on it, convert to the types of the record. */
export const unprovenOfExtensions: readonly string[] = ['populate_record']
