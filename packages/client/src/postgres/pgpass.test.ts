import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPgpassEntry, lookupPassword, type PgpassEntry, parsePgpass } from './pgpass.js'

const entry: PgpassEntry = { host: 'db1', port: '5432', database: 'app', user: 'maestra', password: 'p' }
const field = fc
  .oneof(fc.string(), fc.string({ unit: fc.constantFrom(':', '\\', '*', 'a', ' ', '#') }))
  .filter((text) => !/[\n\r\0]/.test(text))
const anyEntry = fc.record({
  host: field.filter((text) => !text.startsWith('#')),
  port: field,
  database: field,
  user: field,
  password: field,
})

describe('parsePgpass', () => {
  it('passes over comments and lines that are no entries', () => {
    const text = '# host:port:db:user:pw\n\ndb1:5432:app:maestra:p\r\nonly:four:fields:here\n*:*:*:*:q'
    expect(parsePgpass(text)).toEqual([entry, { host: '*', port: '*', database: '*', user: '*', password: 'q' }])
  })

  it('takes the character behind a backslash as it is', () => {
    expect(parsePgpass('\\:\\:1:5432:a\\\\b:u:p\\:q\\\\\\x')).toEqual([
      { host: '::1', port: '5432', database: 'a\\b', user: 'u', password: 'p:q\\x' },
    ])
  })

  it('ends the password at a colon, as libpq does', () => {
    expect(parsePgpass('h:1:d:u:p:q')[0]?.password).toBe('p')
  })

  it('does not pass over an empty field', () => {
    expect(parsePgpass(':5432:d:u:p')).toEqual([{ host: '', port: '5432', database: 'd', user: 'u', password: 'p' }])
    expect(parsePgpass('h::d::')).toEqual([{ host: 'h', port: '', database: 'd', user: '', password: '' }])
  })

  it('keeps spaces and a lone backslash at the end', () => {
    expect(parsePgpass(' h:1:d:u: p \\')[0]).toMatchObject({ host: ' h', password: ' p \\' })
  })
})

describe('formatPgpassEntry', () => {
  it('escapes colons and backslashes', () => {
    expect(formatPgpassEntry({ ...entry, host: '::1', password: 'a:b\\c' })).toBe('\\:\\:1:5432:app:maestra:a\\:b\\\\c')
    expect(formatPgpassEntry({ host: '*', port: '*', database: '*', user: '*', password: 'p' })).toBe('*:*:*:*:p')
  })

  it('is undone by parsePgpass, for every entry', () => {
    fc.assert(
      fc.property(anyEntry, (any) => {
        expect(parsePgpass(formatPgpassEntry(any))).toEqual([any])
      }),
    )
  })

  it.each(['a\nb', 'a\r', 'a\0'])('refuses the field %j without repeating it', (password) => {
    expect(() => formatPgpassEntry({ ...entry, password })).toThrow(
      /^a field of a password file entry holds a line ending or a NUL character$/,
    )
  })
})

describe('lookupPassword', () => {
  const query = { host: 'db1', port: 5432, database: 'app', user: 'maestra' }
  const lookup = (text: string, changes: Partial<typeof query> = {}) =>
    lookupPassword(parsePgpass(text), { ...query, ...changes })

  it('needs all four to fit', () => {
    const text = 'db1:5432:app:maestra:p'
    expect(lookup(text)).toBe('p')
    for (const changes of [
      { host: 'db2' },
      { port: 5433 },
      { database: 'replication' },
      { user: 'other' },
      { host: 'DB1' },
    ])
      expect(lookup(text, changes)).toBeUndefined()
  })

  it('takes the first that fits, in the order of the file', () => {
    expect(lookup('db2:*:*:*:a\ndb1:*:*:*:b\ndb1:5432:app:maestra:c')).toBe('b')
  })

  it('fits any value to an asterisk, and only an asterisk to an escaped one', () => {
    expect(lookup('*:*:*:*:p')).toBe('p')
    expect(lookup('db*:*:*:*:p')).toBeUndefined()
    expect(lookup('\\*:*:*:*:p')).toBeUndefined()
    expect(lookup('\\*:*:*:*:p', { host: '*' })).toBe('p')
  })

  it('knows the directory of the default socket as localhost', () => {
    for (const host of ['', '/tmp', '/var/run/postgresql', 'localhost'])
      expect(lookup('localhost:*:*:*:p', { host })).toBe('p')
    expect(lookup('localhost:*:*:*:p', { host: '/srv/socket' })).toBeUndefined()
    expect(lookup('/srv/socket:*:*:*:p', { host: '/srv/socket' })).toBe('p')
    expect(lookup('/tmp:*:*:*:p', { host: '/tmp' })).toBe('p')
  })

  it('finds what formatPgpassEntry wrote for the very connection', () => {
    fc.assert(
      fc.property(anyEntry, (any) => {
        fc.pre(![any.host, any.port, any.database, any.user].includes('\\*'))
        expect(lookupPassword(parsePgpass(formatPgpassEntry(any)), any)).toBe(any.password)
      }),
    )
  })
})
