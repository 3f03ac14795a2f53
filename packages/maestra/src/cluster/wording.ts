import { newestMajor, oldestMajor } from '@maestra/client/postgres/version'
import type { DataPath } from './data-path.js'
import { nearestWord } from './nearest-word.js'
import { valueHint } from './value-hint.js'

/** What is said about one mistake, and what to do about it. */
export type Words = { readonly message: string; readonly hint?: string | undefined }

const name = 'a name of lower-case letters, digits, `_` and `-` that begins with a letter and has at most 63 characters'
const path = 'a path, absolute or relative to the cluster file'
const parameters = 'a mapping from names of parameters to their values'
const parameterValue = 'text, a number, true or false'

/** What each value of the file must be. `[]` stands for the entries of a list, `*` for any parameter. @internal */
export const expected: Readonly<Record<string, string>> = {
  cluster: name,
  postgres: 'a mapping with `version` and, if need be, `bin`',
  'postgres.version': `a major version of PostgreSQL from ${oldestMajor} to ${newestMajor}`,
  'postgres.bin': path,
  nodes: 'a list of at least one node, each with `name` and `data`',
  'nodes[]':
    'a mapping with `name`, `data` and, if need be, `host`, `port`, `follows`, `via`, `primary` and `parameters`',
  'nodes[].name': name,
  'nodes[].host': 'an IP address or a host name at which the node can be reached',
  'nodes[].port': 'a whole number from 1 to 65535',
  'nodes[].data': path,
  'nodes[].follows': 'the name of the node whose WAL this one receives',
  'nodes[].via': 'an address and a port such as 127.0.0.1:6432 or [::1]:6432',
  'nodes[].primary': 'true or false',
  'nodes[].parameters': parameters,
  'nodes[].parameters.*': parameterValue,
  replication: 'a mapping with `role` or `authentication`',
  'replication.role': 'a name of at most 63 lower-case letters, digits and `_`, and none that PostgreSQL reserves',
  'replication.authentication': '`scram-sha-256` or `trust`',
  base_backup: 'a mapping with `with`, `checkpoint`, `max_rate` or `verify`',
  'base_backup.with': '`maestra` or `pg_basebackup`',
  'base_backup.checkpoint': '`fast` or `spread`',
  'base_backup.max_rate': 'an amount a second from 32kB to 1GB, such as 50MB',
  'base_backup.verify': 'true or false',
  allow: 'a list of addresses',
  'allow[]': 'an address, a range such as 10.0.0.0/8, or a host name',
  archive: 'a mapping with `directory`',
  'archive.directory': path,
  parameters,
  'parameters.*': parameterValue,
  passfile: path,
}

/** The wording of everything that can be wrong with a cluster file. */
export const wording = {
  empty: { message: 'the cluster file is empty', hint: 'it needs at least `cluster`, `postgres` and `nodes`' },
  notText: { message: 'the file is not a text in UTF-8: here is a character that no cluster file holds' },
  tooLong: (most: number): Words => ({
    message: `the file is too long for a cluster file: it has more than ${most} characters`,
  }),
  tooMany: (most: number): Words => ({
    message: `the file holds more than ${most} values, counting what its aliases repeat`,
  }),
  tooDeep: { message: 'the file is nested too deeply for a cluster file' },
  noAnchor: (anchor: string): Words => ({
    message: `\`*${short(anchor)}\` refers to nothing above it`,
    hint: `put \`&${short(anchor)}\` before the value that is meant, or the text in quotes when it begins with a star`,
  }),
  ownAlias: (anchor: string): Words => ({ message: `\`*${short(anchor)}\` stands inside what it refers to` }),
  keyNotText: { message: 'a key must be a plain word' },
  keyTwice: (key: string, line: number): Words => ({
    message: `the key \`${short(key)}\` is here a second time; the first is in line ${line}`,
  }),
  notMapping: (data: unknown): Words => ({
    message: `the cluster file must be a mapping with \`cluster\`, \`postgres\` and \`nodes\`, not ${described(data)}`,
  }),

  unknownKey(key: string, holder: DataPath): Words {
    const known = keysUnder(pattern(holder))
    const near = nearestWord(key, known)
    const elsewhere = Object.keys(expected).find((at) => at.split('.').at(-1) === key.toLowerCase())
    const hint =
      near === undefined && elsewhere !== undefined
        ? `\`${key.toLowerCase()}\` belongs ${location(elsewhere)}`
        : `known here: ${known.join(', ')}`
    return { message: `unknown key \`${short(key)}\`${near === undefined ? '' : `; did you mean \`${near}\`?`}`, hint }
  },
  missingKey(at: DataPath, nodeName: string | undefined): Words {
    const [top, index] = at
    const holder =
      at.length === 1 ? 'the cluster file' : top === 'nodes' ? `node ${nodeName ?? Number(index) + 1}` : `\`${top}\``
    return { message: `${holder} has no \`${at.at(-1)}\``, hint: `\`${at.at(-1)}\` is ${expected[pattern(at)]}` }
  },
  noValue: (at: DataPath): Words => ({ message: `${subject(at)} has no value; it must be ${expected[pattern(at)]}` }),
  wrongValue(at: DataPath, value: unknown, written: string | undefined): Words {
    const message = `${subject(at)} must be ${expected[pattern(at)]}, not ${described(value, written)}`
    return { message, hint: valueHint(pattern(at), value, written) }
  },

  parameterName: (written: string): Words => ({
    message: `\`${short(written)}\` cannot be the name of a PostgreSQL parameter`,
  }),
  reservedParameter: (written: string, instead: string): Words => ({
    message: `the parameter \`${short(written)}\` cannot be declared: ${instead}`,
  }),
  parameterTwice: (before: string, written: string): Words => ({
    message: `\`${short(written)}\` is the same parameter as \`${short(before)}\``,
  }),
  hotStandbyOff: {
    message: '`hot_standby` cannot be off: nobody could read from the replicas',
    hint: 'leave it out; Maestra sets it to on',
  },
  parameterLines: (written: string): Words => ({
    message: `\`${short(written)}\` holds a line break`,
    hint: 'write the value on one line, or fold it with `>-`',
  }),
}

/** The form in which `expected` names a path. */
function pattern(at: DataPath): string {
  return at.reduce<string>((text, key, index) => {
    if (typeof key === 'number') return `${text}[]`
    return `${text}${text === '' ? '' : '.'}${at[index - 1] === 'parameters' ? '*' : key}`
  }, '')
}

function keysUnder(holder: string): string[] {
  const start = holder === '' ? '' : `${holder}.`
  return Object.keys(expected).flatMap((at) =>
    at.startsWith(start) && /^\w+$/.test(at.slice(start.length)) ? [at.slice(start.length)] : [],
  )
}

function location(at: string): string {
  const [top] = at.split('.')
  if (top === at) return 'at the top of the file'
  return top === 'nodes[]' ? 'to a node' : `under \`${top}\``
}

function subject(at: DataPath): string {
  const last = at.at(-1)
  if (typeof last !== 'number') return `\`${short(String(last))}\``
  return at.at(-2) === 'nodes' ? `node ${last + 1}` : `each entry of \`${at.at(-2)}\``
}

function described(value: unknown, written?: string): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a mapping'
  return typeof value === 'string' ? `"${short(value)}"` : short(written ?? String(value))
}

/** A text of the user inside a message: not longer than a line, and nothing in it that a terminal would obey. */
export function short(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 57)}...` : text
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
  })
}
