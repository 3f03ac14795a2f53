import { existsSync, readdirSync } from 'node:fs'

/** The newest of Debian's directories with a whole PostgreSQL, its clients included. */
export function clientPrograms(): string | undefined {
  const folder = '/usr/lib/postgresql'
  const majors = existsSync(folder) ? readdirSync(folder).map(Number) : []
  return majors
    .toSorted((a, b) => b - a)
    .map((major) => `${folder}/${major}/bin`)
    .find((bin) =>
      ['initdb', 'pg_basebackup', 'pg_ctl', 'postgres', 'psql'].every((name) => existsSync(`${bin}/${name}`)),
    )
}
