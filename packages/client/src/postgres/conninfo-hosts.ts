import { isIP } from 'node:net'
import { badValue } from './bad-value.js'
import type { Conninfo } from './conninfo.js'

/** One of the hosts that a connection string names. A password file knows it by `host`, else by `hostaddr`. */
export type ConninfoHost = {
  /**
   * A name, an address without brackets, or the directory of a Unix socket (it begins with / or @). Undefined when the
   * string says none: libpq takes the socket directory that it was built with, and localhost on Windows.
   */
  readonly host: string | undefined
  /** The address to connect to, so that no name is looked up; the name in `host` then only says whom to expect. */
  readonly hostaddr: string | undefined
  readonly port: number
}

const defaultPort = 5432

/**
 * The hosts of a connection string in the order in which they are tried. Throws bad-value where libpq refuses the
 * lists; no message repeats them, as a password with a / in a URI ends among them.
 * Source: connectOptions2 of fe-connect.c, and "Specifying Multiple Hosts" in the documentation of libpq.
 * @public
 */
export function conninfoHosts({ host = '', hostaddr = '', port = '' }: Conninfo): readonly ConninfoHost[] {
  const count = itemsOf(hostaddr || host).length
  const hostaddrs = hostaddr === '' ? repeated('', count) : itemsOf(hostaddr)
  const hosts = host === '' ? repeated('', count) : itemsOf(host)
  if (hosts.length !== count)
    throw badValue(
      `the connection string has ${counted(hosts.length, 'host')} and ${counted(count, 'hostaddr value')}`,
      'Write one hostaddr for each host, with nothing between the commas where a host has none: host=a,b hostaddr=,10.0.0.2.',
    )
  const ports = portsOf(port, count)
  return hosts.map((name, index) => ({
    host: name || undefined,
    hostaddr: addressOf(hostaddrs[index] ?? '', index),
    port: portNumber(ports[index] ?? '', index),
  }))
}

/** One port is meant for all hosts; else each host has its own. */
function portsOf(port: string, count: number): readonly string[] {
  const ports = itemsOf(port)
  if (ports.length === 1) return repeated(port, count)
  if (ports.length === count) return ports
  throw badValue(
    `the connection string has ${counted(ports.length, 'port')} and ${counted(count, 'host')}`,
    'Write one port for all hosts, or one for each: host=a,b port=5432,5433 or postgresql://a:5432,b:5433.',
  )
}

function addressOf(text: string, index: number): string | undefined {
  if (text === '') return undefined
  if (isIP(text) !== 0) return text
  throw badValue(
    `hostaddr ${index + 1} in the connection string is not an IP address`,
    'Write an address such as 10.0.0.2 or ::1 without brackets; names go into host.',
  )
}

/** As strtol reads it: with white space around it, a sign, and zeros before it. */
function portNumber(text: string, index: number): number {
  if (text === '') return defaultPort
  const number = /^[ \t\n\v\f\r]*[+-]?\d+[ \t\n\v\f\r]*$/.test(text) ? Number(text) : Number.NaN
  if (number >= 1 && number <= 65535) return number
  throw badValue(
    `the port of host ${index + 1} in the connection string is not a whole number from 1 to 65535`,
    'Leave it out for 5432, and write a : or a / inside a password of a URI as %3A and %2F.',
  )
}

/**
 * The keywords from which conninfoHosts reads these hosts, without those that say nothing. Throws
 * bad-value for an empty list, and for a host with a comma, which no list can hold.
 * @public
 */
export function conninfoOfHosts(hosts: readonly ConninfoHost[]): Conninfo {
  if (hosts.length === 0) throw badValue('a connection needs at least one host', 'Name the hosts to connect to.')
  if (hosts.some(({ host, hostaddr }) => `${host}${hostaddr}`.includes(',')))
    throw badValue('a host of a connection holds a comma', 'A comma separates hosts: write each as one of the list.')
  const hostaddrs = hosts.map(({ hostaddr = '' }) => hostaddr)
  const ports = hosts.map(({ port }) => String(port))
  const lists = {
    host: hosts.map(({ host = '' }) => host).join(','),
    hostaddr: hostaddrs.some((address) => address !== '') ? hostaddrs.join(',') : '',
    port: new Set(ports).size === 1 ? String(ports[0]) : ports.join(','),
  }
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list !== ''))
}

/** libpq tells elements by their commas alone, so that an empty text is one empty element. */
function itemsOf(list: string): readonly string[] {
  return list.split(',')
}

function repeated(item: string, count: number): readonly string[] {
  return Array.from({ length: count }, () => item)
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
