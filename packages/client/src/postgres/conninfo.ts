import { isIPv6 } from 'node:net'
import { badValue, quoted } from './bad-value.js'

/**
 * The parameters of a connection by the names that libpq gives them: host, port, dbname, user, password, sslmode, ...
 * Several hosts and ports are lists with commas; conninfoHosts reads them.
 */
export type Conninfo = Readonly<Record<string, string>>

/**
 * Reads both forms that libpq takes: `host=a port=5432` and `postgresql://user@a:5432/db?sslmode=require`. Throws
 * bad-value; no message repeats the text, which may hold a password.
 * @public
 */
export function parseConninfo(text: string): Conninfo {
  const [prefix] = /^\s*postgres(?:ql)?:\/\//.exec(text) ?? []
  return prefix === undefined ? parseKeywords(text) : parseUri(text.trim().slice(prefix.trim().length))
}

const keywordHint =
  "Write keyword=value pairs with spaces between them, values with spaces in single quotes: host=db1 password='a b'."

/**
 * conninfo_parse of fe-connect.c: white space around = is allowed, a backslash takes the next character as it is.
 * White space is C's, not JavaScript's.
 */
function parseKeywords(text: string): Conninfo {
  const params: [string, string][] = []
  const space = /[ \t\n\v\f\r]*/y
  const keywordEquals = /([^= \t\n\v\f\r]+)[ \t\n\v\f\r]*=[ \t\n\v\f\r]*/y
  const quotedValue = /'((?:[^'\\]|\\.)*)'/sy
  const plainValue = /((?:[^\\ \t\n\v\f\r]|\\.)*)\\?/sy
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found === null) return undefined
    at = pattern.lastIndex
    return found[1] ?? ''
  }
  // Words that look like keywords may be pieces of a password that lacks its quotes, so errors say where and never what.
  for (take(space); at < text.length; take(space)) {
    const start = at
    const keyword = take(keywordEquals)
    if (keyword === undefined) {
      throw badValue(`the connection string has no keyword with a = at character ${start + 1}`, keywordHint)
    }
    const value = text[at] === "'" ? take(quotedValue) : take(plainValue)
    if (value === undefined) {
      throw badValue(`the connection string does not close the quote at character ${at + 1}`, keywordHint)
    }
    params.push([keyword, value.replace(/\\(.)/gs, '$1')])
  }
  return Object.fromEntries(params)
}

const uriHint =
  'A connection URI looks like postgresql://user:password@host:5432/database?sslmode=require, with special characters as %xx.'

/** conninfo_uri_parse_options of fe-connect.c, without the prefix. */
function parseUri(text: string): Conninfo {
  const [credentials = '', user, password] = /^([^:@/]*)(?::([^@/]*))?@/.exec(text) ?? []
  const [, hosts = '', path, query] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(text.slice(credentials.length)) ?? []
  const pairs = hosts.split(',').map(hostAndPort)
  const parts = {
    user,
    password,
    host: pairs.map((pair) => pair.host).join(','),
    port: pairs.map((pair) => pair.port).join(','),
    dbname: path,
  }
  return Object.fromEntries([
    ...Object.entries(parts).flatMap(([keyword, part]) => (part ? [[keyword, decoded(part, `the ${keyword}`)]] : [])),
    ...(query ? query.split('&').map(parameterOf) : []),
  ])
}

function hostAndPort(text: string): { host: string; port: string } {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/s.exec(text)
  if (text.startsWith('[') && bracketed === null)
    throw badValue('the connection URI holds an IPv6 address without its closing bracket', uriHint)
  const [, host = '', port = ''] = bracketed ?? /^([^:]*)(?::(.*))?$/s.exec(text) ?? []
  return { host, port }
}

function parameterOf(pair: string): [string, string] {
  const [name, value, ...more] = pair.split('=')
  if (name === undefined || value === undefined) throw badValue('the connection URI has a parameter without =', uriHint)
  if (more.length > 0) throw badValue('the connection URI has a parameter with a second =', uriHint)
  // JDBC's way of asking for TLS, which libpq also takes.
  if (name === 'ssl' && value === 'true') return ['sslmode', 'require']
  return [decoded(name, 'a parameter'), decoded(value, 'a parameter')]
}

function decoded(text: string, part: string): string {
  if (/%(?![0-9A-Fa-f]{2})|%00/.test(text))
    throw badValue(
      `${part} in the connection URI has a % that is not followed by two hexadecimal digits, or %00`,
      uriHint,
    )
  try {
    return decodeURIComponent(text)
  } catch {
    throw badValue(`${part} in the connection URI is not UTF-8 once decoded`, uriHint)
  }
}

/**
 * The form with keywords, quoted where libpq needs it, in the given order. Throws bad-value for a keyword that is
 * none and for a NUL.
 */
export function formatConninfo(params: Conninfo): string {
  return Object.entries(params)
    .map(([keyword, value]) => {
      if (!/^[a-z][a-z0-9_]*$/.test(keyword))
        throw badValue(`${quoted(keyword)} is not a keyword of a connection string`, keywordHint)
      if (value.includes('\0')) throw badValue(`the value of ${keyword} holds a NUL character`, keywordHint)
      return `${keyword}=${/^[A-Za-z0-9_.]+$/.test(value) ? value : `'${value.replace(/['\\]/g, '\\$&')}'`}`
    })
    .join(' ')
}

export type UrlHost = {
  /** A name, an IP address without brackets, or the directory of a Unix socket. */
  readonly host: string
  readonly port: number
}

export type UrlParts = {
  readonly user: string
  readonly password?: string
  readonly database: string
  readonly params?: Readonly<Record<string, string>>
} & (UrlHost | { readonly hosts: readonly [UrlHost, ...UrlHost[]] })

/**
 * A URI that libpq reads; with one host, node-postgres and most other drivers read it too. Throws bad-value for a
 * host with a comma among several.
 */
export function formatUrl({ user, password, database, params = {}, ...at }: UrlParts): string {
  const credentials = password === undefined ? encoded(user) : `${encoded(user)}:${encoded(password)}`
  const query = Object.entries(params).map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
  const hosts = 'hosts' in at ? at.hosts : [at]
  if (hosts.length > 1 && hosts.some(({ host }) => host.includes(',')))
    throw badValue('a host of the connection URI holds a comma', uriHint)
  const places = hosts.map(({ host, port }) => `${isIPv6(host) ? bracketed(host) : encoded(host)}:${port}`)
  return `postgresql://${credentials}@${places.join(',')}/${encoded(database)}${query.length === 0 ? '' : `?${query.join('&')}`}`
}

function bracketed(address: string): string {
  return `[${address.replaceAll('%', '%25')}]`
}

/** encodeURIComponent, and the characters that it leaves although shells and older parsers trip over them. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
