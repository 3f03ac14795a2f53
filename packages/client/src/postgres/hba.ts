import { isIP, isIPv4, isIPv6 } from 'node:net'
import { badValue, quoted } from './bad-value.js'

export type HbaConnectionType = (typeof connectionTypes)[number]

const connectionTypes = ['local', 'host', 'hostssl', 'hostnossl', 'hostgssenc', 'hostnogssenc'] as const

/**
 * One rule of pg_hba.conf. Each part stands as in the file: several names with commas, and quotes where they are;
 * hbaName gives the form of any name.
 */
export type HbaLine = {
  readonly type: HbaConnectionType
  /** A database, or a word such as `all` or `replication`. */
  readonly database: string
  /** A role, the members of a role (`+staff`), or `all`. */
  readonly user: string
  /**
   * A network, a host name or a word such as `samenet`; a netmask of its own stands behind a space. Absent for
   * `local`.
   */
  readonly address?: string
  readonly method: string
  /** What follows the method: `map=x clientcert=verify-full`. */
  readonly options?: string
}

/**
 * A line of the file as it stands, with its ending, and the rule in it, if it holds one. Lines joined by a backslash
 * are one.
 */
export type HbaFileLine = { readonly text: string; readonly rule: HbaLine | undefined }

/** Words and first characters that mean something else than a name. Quotes take that from them. */
const specialName = /^(?:all|sameuser|samerole|samegroup|replication|[+@].*)$/s

/**
 * A database or role as pg_hba.conf means that very name, in quotes where it needs them. Throws bad-value for a name
 * that the file cannot hold.
 */
export function hbaName(name: string): string {
  if (name === '' || name.startsWith('/') || /[\n\r\0]/.test(name)) {
    throw badValue(
      `${quoted(name)} cannot be named in pg_hba.conf`,
      'A name there has no line ending, and behind a / PostgreSQL expects a regular expression.',
    )
  }
  return /^[A-Za-z0-9_.$-]+$/.test(name) && !specialName.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** A token of src/backend/libpq/hba.c: up to a blank, a comma or a #, none of which counts inside of quotes. */
const token = '(?:[^ \\t\\r\\n\\0,"#]|"[^"\\n\\0]*(?:"|$))+'
/** Tokens with commas between are one field; blanks may follow a comma. */
const field = `${token}(?:,[ \\t\\r,]*${token})*`
const fieldPattern = new RegExp(`[ \\t\\r,]*(${field})`, 'y')
const wholeField = new RegExp(`^${field}$`)

/** The line without its ending. Throws bad-value for a part that PostgreSQL would not read back as one field. */
export function formatHbaLine(line: HbaLine): string {
  const { type, database, user, address, method, options } = line
  if ((type === 'local') !== (address === undefined)) {
    throw badValue(
      `a rule of type ${type} ${type === 'local' ? 'has no address' : 'needs an address'}`,
      'Write local without an address, and host with one.',
    )
  }
  const rest = [...(address?.split(' ') ?? []), method]
  for (const part of [type, database, user, ...rest]) {
    if (!wholeField.test(part) || part.split('"').length % 2 === 0)
      throw badValue(
        `${quoted(part)} is not one field of pg_hba.conf`,
        'Names with blanks, commas, # or quotes stand in double quotes there.',
      )
  }
  // A backslash at the end would join the next rule to this one.
  const last = options ?? method
  if (/[\n\r\0\\]/.test(last))
    throw badValue(
      `the ${options === undefined ? 'method' : 'options'} ${quoted(last)} cannot end a line: a line ending or a backslash is in the way`,
      'Options stand on the line of their rule: map=x clientcert=verify-full.',
    )
  return [type, database, user, ...rest, ...(options === undefined ? [] : [options])].join(' ')
}

/** All lines of the file; their texts are the file. @internal */
export function parseHba(text: string): HbaFileLine[] {
  const lines = text.match(/(?:[^\n]*\\\r?\n)*[^\n]*(?:\n|$)/g) ?? []
  return lines.filter((line) => line !== '').map((line) => ({ text: line, rule: ruleOf(fieldsOf(line)) }))
}

function fieldsOf(line: string): string[] {
  const content = line.replace(/\\\r?\n/g, '').replace(/\r?\n$/, '')
  const fields: string[] = []
  fieldPattern.lastIndex = 0
  for (let found = fieldPattern.exec(content); found !== null; found = fieldPattern.exec(content))
    fields.push(found[1] as string)
  return fields
}

function ruleOf([word, database, user, ...rest]: readonly string[]): HbaLine | undefined {
  const type = connectionTypes.find((known) => known === word)
  if (type === undefined || database === undefined || user === undefined) return undefined
  const address = type === 'local' ? undefined : addressOf(rest)
  const [method, ...options] = type === 'local' ? rest : rest.slice(address?.split(' ').length)
  if (method === undefined || (type !== 'local' && address === undefined)) return undefined
  return {
    type,
    database,
    user,
    ...(address === undefined ? {} : { address }),
    method,
    ...(options.length === 0 ? {} : { options: options.join(' ') }),
  }
}

/** An IP address without its number of bits is followed by a netmask. */
function addressOf([address, mask]: readonly string[]): string | undefined {
  if (address === undefined || isIP(address) === 0) return address
  return mask === undefined || isIP(mask) === 0 ? undefined : `${address} ${mask}`
}

const beginLine = '# BEGIN maestra: written by Maestra, which replaces what stands up to the line END'
const endLine = '# END maestra'
const beginPattern = /^[ \t]*# BEGIN maestra\b/
const endPattern = /^[ \t]*# END maestra\b/

/**
 * The text with our marked block as its first lines, as in pg_hba.conf the first rule that fits decides; an older
 * block is taken out, wherever it stood. Without lines there is no block.
 * Everything else stays byte for byte. Throws bad-value for a damaged block, naming the line.
 */
export function withHbaBlock(text: string, lines: readonly HbaLine[]): string {
  const { before, after } = splitAtBlock(text)
  const rest = before + after
  if (lines.length === 0) return rest
  return `${[beginLine, ...lines.map(formatHbaLine), endLine].join('\n')}\n${rest}`
}

/**
 * What stands in our block, without its two marks; undefined without a block. Throws bad-value for a damaged block,
 * naming the line.
 */
export function hbaBlockOf(text: string): string | undefined {
  return splitAtBlock(text).block
}

/** The first line within our block, counted from 1; undefined without a block. Throws bad-value for a damaged block. */
export function hbaBlockLine(text: string): number | undefined {
  const { before, block } = splitAtBlock(text)
  return block === undefined ? undefined : before.split('\n').length + 1
}

function splitAtBlock(text: string): { before: string; block: string | undefined; after: string } {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? []
  const begins = lines.flatMap((line, index) => (beginPattern.test(line) ? [index] : []))
  const ends = lines.flatMap((line, index) => (endPattern.test(line) ? [index] : []))
  const [begin] = begins
  const [end] = ends
  const wrong = (index: number, what: string) =>
    badValue(
      `line ${index + 1} of pg_hba.conf ${what}`,
      `Leave one block from "# BEGIN maestra" to "${endLine}", or none.`,
    )
  if (begins[1] !== undefined) throw wrong(begins[1], 'begins a second block of Maestra')
  if (ends[1] !== undefined) throw wrong(ends[1], 'ends a block of Maestra a second time')
  if (begin === undefined && end === undefined) return { before: text, block: undefined, after: '' }
  if (begin === undefined) throw wrong(end ?? 0, 'ends a block of Maestra that nothing begins')
  if (end === undefined) throw wrong(begin, 'begins a block of Maestra that nothing ends')
  if (end < begin) throw wrong(end, 'ends a block of Maestra before it begins')
  return {
    before: lines.slice(0, begin).join(''),
    block: lines.slice(begin + 1, end).join(''),
    after: lines.slice(end + 1).join(''),
  }
}

/**
 * The addresses by which pg_hba.conf means a host: an IP address becomes a network of one, localhost both loopback
 * addresses; a network, a name and PostgreSQL's words stay. Throws bad-value.
 */
export function hbaAddress(host: string): string[] {
  if (host === 'localhost') return ['127.0.0.1/32', '::1/128']
  if (isIPv4(host)) return [`${host}/32`]
  if (isIPv6(host)) return [`${host}/128`]
  const [, address, bits] = /^([^/]+)\/(\d{1,3})$/.exec(host) ?? []
  if (address !== undefined && ((isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128)))
    return [host]
  if (/^\.?[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/.test(host) && !/^[\d.]+$/.test(host)) return [host]
  throw badValue(
    `${quoted(host)} is not an address`,
    'Write an IP address, a network such as 10.0.0.0/8, or a host name.',
  )
}
