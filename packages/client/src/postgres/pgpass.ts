import { badValue } from './bad-value.js'

/** One line of a password file. `*` in the first four means any value; `\*` means the name that is one asterisk. */
export type PgpassEntry = {
  readonly host: string
  readonly port: string
  readonly database: string
  readonly user: string
  readonly password: string
}

/** What a connection is made to. A standby's replication connection has the database `replication`. */
export type PgpassQuery = {
  readonly host: string
  readonly port: number | string
  readonly database: string
  readonly user: string
}

/** Reads a password file. As in libpq, lines that begin with # or do not have five fields say nothing. */
export function parsePgpass(text: string): PgpassEntry[] {
  return text.split('\n').flatMap((line) => {
    if (line.startsWith('#')) return []
    const [host, port, database, user, password] = fieldsOf(line.replace(/\r+$/, ''))
    if (
      host === undefined ||
      port === undefined ||
      database === undefined ||
      user === undefined ||
      password === undefined
    )
      return []
    return [{ host, port, database, user, password }]
  })
}

const literalAsterisk = '\\*'

/**
 * Splits at colons; a backslash takes the next character as it is. What follows a colon in the password is lost, as
 * in libpq, which on the other hand finds `::1` also without its backslashes; its documentation asks for them.
 */
function fieldsOf(line: string): string[] {
  const fields = `:${line}`.match(/:(?:[^\\:]|\\.?)*/gs) ?? []
  return fields
    .map((field) => field.slice(1))
    .map((field) => (field === literalAsterisk ? field : field.replace(/\\(.)/gs, '$1')))
}

/** One line without its ending. Throws bad-value for a field with a line ending. */
export function formatPgpassEntry(entry: PgpassEntry): string {
  const fields = [entry.host, entry.port, entry.database, entry.user, entry.password]
  if (fields.some((field) => /[\n\r\0]/.test(field)))
    throw badValue(
      'a field of a password file entry holds a line ending or a NUL character',
      'A password file has one entry a line.',
    )
  return fields.map((field) => (field === literalAsterisk ? field : field.replace(/[:\\]/g, '\\$&'))).join(':')
}

/**
 * The directories that builds of libpq have as their default for Unix sockets. The password file calls the default
 * localhost; a build with the other one knows the directory by its name.
 */
const defaultSocketDirectories: readonly string[] = ['', '/tmp', '/var/run/postgresql']

/** The password of the first entry that fits, or undefined. */
export function lookupPassword(
  entries: readonly PgpassEntry[],
  { host, port, database, user }: PgpassQuery,
): string | undefined {
  const names = defaultSocketDirectories.includes(host) ? ['localhost', host] : [host]
  const fits = (field: string, value: string) =>
    field === '*' || (field === literalAsterisk ? value === '*' : field === value)
  return entries.find(
    (entry) =>
      names.some((name) => fits(entry.host, name)) &&
      fits(entry.port, String(port)) &&
      fits(entry.database, database) &&
      fits(entry.user, user),
  )?.password
}
