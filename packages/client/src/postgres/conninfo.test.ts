import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Conninfo, formatConninfo, formatUrl, parseConninfo } from './conninfo.js'

// The expectations of both tables are the answers of PQconninfoParse of libpq 15.
describe('parseConninfo, keywords', () => {
  it.each<[string, Conninfo]>([
    ['', {}],
    [' \t\n', {}],
    ['host=a port=5432', { host: 'a', port: '5432' }],
    ['\thost = a\n port\t=  5432  ', { host: 'a', port: '5432' }],
    ["host='a b' user=''", { host: 'a b', user: '' }],
    ["password='it\\'s \\\\ \\x'", { password: "it's \\ x" }],
    ['password=a\\ b\\\\c\\', { password: 'a b\\c' }],
    ["password=a'b", { password: "a'b" }],
    ["host='a'user=b", { host: 'a', user: 'b' }],
    ['host= port=1', { host: 'port=1' }],
    ['host=', { host: '' }],
    ['user=a=b', { user: 'a=b' }],
    ['host=a host=b', { host: 'b' }],
    ["password='a\nb'", { password: 'a\nb' }],
    ['password=a\u00a0b', { password: 'a\u00a0b' }],
  ])('reads %j', (text, params) => {
    expect(parseConninfo(text)).toEqual(params)
  })

  it.each([
    ['host', 'the connection string has no keyword with a = at character 1'],
    ['host=a b c=d', 'the connection string has no keyword with a = at character 8'],
    ['=a', 'the connection string has no keyword with a = at character 1'],
    ["host=a password='x", 'the connection string does not close the quote at character 17'],
    ["password='x\\'", 'the connection string does not close the quote at character 10'],
  ])('refuses %j', (text, message) => {
    expect(() => parseConninfo(text)).toThrow(expect.objectContaining({ code: 'bad-value', message }))
  })
})

describe('parseConninfo, URI', () => {
  it.each<[string, Conninfo]>([
    ['postgresql://', {}],
    ['postgres://localhost', { host: 'localhost' }],
    ['postgresql://localhost:5433', { host: 'localhost', port: '5433' }],
    ['postgresql://localhost/mydb', { host: 'localhost', dbname: 'mydb' }],
    ['postgresql://user@localhost', { user: 'user', host: 'localhost' }],
    ['postgresql://user:secret@localhost', { user: 'user', password: 'secret', host: 'localhost' }],
    ['postgresql://user:@localhost', { user: 'user', host: 'localhost' }],
    ['postgresql://u:p:q@h', { user: 'u', password: 'p:q', host: 'h' }],
    ['postgresql://@h', { host: 'h' }],
    [
      'postgresql://other@localhost/otherdb?connect_timeout=10&application_name=myapp',
      { user: 'other', host: 'localhost', dbname: 'otherdb', connect_timeout: '10', application_name: 'myapp' },
    ],
    [
      'postgresql://host1:123,host2:456/somedb?target_session_attrs=any',
      { host: 'host1,host2', port: '123,456', dbname: 'somedb', target_session_attrs: 'any' },
    ],
    ['postgresql://a,b:5,c', { host: 'a,b,c', port: ',5,' }],
    ['postgresql:///mydb?host=localhost&port=5433', { dbname: 'mydb', host: 'localhost', port: '5433' }],
    ['postgresql://user@:5/db', { user: 'user', port: '5', dbname: 'db' }],
    ['postgresql://[2001:db8::1234]/database', { host: '2001:db8::1234', dbname: 'database' }],
    ['postgresql://[::1]:5432,[::2]', { host: '::1,::2', port: '5432,' }],
    ['postgresql:///dbname?host=/var/lib/postgresql', { dbname: 'dbname', host: '/var/lib/postgresql' }],
    ['postgresql://%2Fvar%2Flib%2Fpostgresql/dbname', { host: '/var/lib/postgresql', dbname: 'dbname' }],
    ['postgresql://u%40x:p%3A%2F%25@h/d%20b', { user: 'u@x', password: 'p:/%', host: 'h', dbname: 'd b' }],
    ['postgresql://h/db?options=-c%20geqo%3Doff', { host: 'h', dbname: 'db', options: '-c geqo=off' }],
    ['postgresql://h/a/b?user=x', { host: 'h', dbname: 'a/b', user: 'x' }],
    ['postgresql://u@h?user=x', { user: 'x', host: 'h' }],
    ['postgresql://h?ssl=true', { host: 'h', sslmode: 'require' }],
    ['postgresql://h?sslmode=', { host: 'h', sslmode: '' }],
    ['postgresql://a+b@h', { user: 'a+b', host: 'h' }],
    ['postgresql://%C3%A9@h', { user: 'é', host: 'h' }],
  ])('reads %s', (text, params) => {
    expect(parseConninfo(text)).toEqual(params)
  })

  it('passes over white space around the URI, as a file or a shell leaves it', () => {
    expect(parseConninfo(' postgres://h/db\n')).toEqual({ host: 'h', dbname: 'db' })
  })

  it.each([
    ['postgresql://[::1', 'the connection URI holds an IPv6 address without its closing bracket'],
    ['postgresql://[]/db', 'the connection URI holds an IPv6 address without its closing bracket'],
    ['postgresql://[::1]x/db', 'the connection URI holds an IPv6 address without its closing bracket'],
    ['postgresql://h?a', 'the connection URI has a parameter without ='],
    ['postgresql://h?a=1&', 'the connection URI has a parameter without ='],
    ['postgresql://h?a=b=c', 'the connection URI has a parameter with a second ='],
    [
      'postgresql://u%zz@h',
      'the user in the connection URI has a % that is not followed by two hexadecimal digits, or %00',
    ],
    [
      'postgresql://u:s%2@h',
      'the password in the connection URI has a % that is not followed by two hexadecimal digits, or %00',
    ],
    [
      'postgresql://h/%00',
      'the dbname in the connection URI has a % that is not followed by two hexadecimal digits, or %00',
    ],
    ['postgresql://%ff@h', 'the user in the connection URI is not UTF-8 once decoded'],
  ])('refuses %s', (text, message) => {
    expect(() => parseConninfo(text)).toThrow(expect.objectContaining({ code: 'bad-value', message }))
  })
})

it('never repeats a password in an error', () => {
  const secret = 'hunter2'
  const texts = fc
    .array(
      fc.constantFrom(
        secret,
        `password=${secret}`,
        `password='${secret}`,
        `:${secret}@`,
        'postgres://',
        'u',
        ' ',
        '=',
        "'",
        '\\',
        '%',
        '[',
        '?',
        '&',
        '/',
      ),
    )
    .map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(texts, (text) => {
      try {
        parseConninfo(text)
      } catch (error) {
        const { message, hint } = error as { message: string; hint: string }
        expect(message + hint).not.toContain(secret)
      }
    }),
  )
})

describe('formatConninfo', () => {
  it('quotes what needs it, in the given order', () => {
    expect(
      formatConninfo({
        host: 'db1.example',
        port: '5432',
        user: 'a b',
        password: "it's\\",
        dbname: '',
        sslcert: '/x/y',
      }),
    ).toBe("host=db1.example port=5432 user='a b' password='it\\'s\\\\' dbname='' sslcert='/x/y'")
    expect(formatConninfo({})).toBe('')
  })

  it('is undone by parseConninfo, for every value', () => {
    const keyword = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
    const value = fc
      .oneof(fc.string(), fc.string({ unit: fc.constantFrom("'", '\\', ' ', '=', '\n', 'é') }))
      .filter((text) => !text.includes('\0'))
    fc.assert(
      fc.property(fc.dictionary(keyword, value), (params) => {
        expect(parseConninfo(formatConninfo(params))).toEqual({ ...params })
      }),
    )
  })

  it('refuses a keyword that is none, and a NUL without repeating the value', () => {
    expect(() => formatConninfo({ 'host=x user': 'y' })).toThrow(
      '"host=x user" is not a keyword of a connection string',
    )
    expect(() => formatConninfo({ password: 'hunter2\0' })).toThrow(/^the value of password holds a NUL character$/)
  })
})

describe('formatUrl', () => {
  it('writes what applications take', () => {
    expect(formatUrl({ user: 'app', host: '127.0.0.1', port: 5432, database: 'app' })).toBe(
      'postgresql://app@127.0.0.1:5432/app',
    )
    expect(
      formatUrl({
        user: 'a@b',
        password: "p:/?#[]'",
        host: '::1',
        port: 6543,
        database: 'd b',
        params: { sslmode: 'require', application_name: 'x&y' },
      }),
    ).toBe('postgresql://a%40b:p%3A%2F%3F%23%5B%5D%27@[::1]:6543/d%20b?sslmode=require&application_name=x%26y')
    expect(formatUrl({ user: 'app', host: '/tmp', port: 5432, database: 'app' })).toBe(
      'postgresql://app@%2Ftmp:5432/app',
    )
  })

  it('is undone by parseConninfo, for every part', () => {
    const part = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes('\0'))
    const host = fc.constantFrom('db1', '127.0.0.1', '::1', 'fe80::1%eth0', '/var/run/postgresql')
    fc.assert(
      fc.property(part, part, host, fc.nat(65535), part, part, (user, password, host, port, database, application) => {
        const url = formatUrl({ user, password, host, port, database, params: { application_name: application } })
        expect(parseConninfo(url)).toEqual({
          user,
          password,
          host,
          port: String(port),
          dbname: database,
          application_name: application,
        })
      }),
    )
  })
})
