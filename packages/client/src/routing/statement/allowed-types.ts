/**
 * Types of PostgreSQL that a proven read may convert to, as the catalogue names them: their input functions and the casts to
 * them depend on the value and on settings only. Those that name an object (regclass and the like) look it up in the catalogue. Not
 * here: pseudo-types, and what names files, transactions or snapshots of the server.
 */
export const allowedTypes: ReadonlySet<string> = new Set(
  `bool int2 int4 int8 numeric float4 float8 money
    text varchar bpchar char name bytea bit varbit
    date time timetz timestamp timestamptz interval
    uuid json jsonb jsonpath xml tsvector tsquery
    int4range int8range numrange tsrange tstzrange daterange
    int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange
    inet cidr macaddr macaddr8
    point line lseg box path polygon circle
    oid oidvector int2vector pg_lsn
    regclass regtype regproc regprocedure regnamespace regrole regconfig regdictionary regoper regoperator regcollation`.split(
    /\s+/,
  ),
)
