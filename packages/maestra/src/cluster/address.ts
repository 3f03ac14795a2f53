import { isIP } from 'node:net'

/** Words that pg_hba.conf reads as something else than a host name. */
const hbaWords = ['all', 'samehost', 'samenet']

const label = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/

/** Where a server can listen, but where nobody can reach it. */
export function isWildcardAddress(text: string): boolean {
  return text === '0.0.0.0' || text === '*' || /^[0:]*::[0:]*$/.test(text)
}

/** An address at which a server can be reached: IPv4, IPv6 without brackets, or a host name. */
export function isReachableAddress(text: string): boolean {
  return !isWildcardAddress(text) && (isAddress(text) || isHostName(text))
}

/**
 * What `allow` may hold: an address, a range in CIDR notation, a host name, or a domain with a dot before it as
 * pg_hba.conf has it.
 */
export function isClientAddress(text: string): boolean {
  const slash = text.indexOf('/')
  if (slash === -1) return isAddress(text) || (!isHbaWord(text) && isHostName(text.replace(/^\./, '')))
  const address = text.slice(0, slash)
  const bits = text.slice(slash + 1)
  return isAddress(address) && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIP(address) === 4 ? 32 : 128)
}

/** A host and a port, as in `10.0.0.1:5432` and `[2001:db8::1]:5432`. */
export type HostAndPort = { readonly host: string; readonly port: number }

/** Undefined for a text that is none. */
export function parseHostAndPort(text: string): HostAndPort | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain ?? ''
  const port = Number(digits)
  const isHost = bracketed === undefined || isIP(bracketed) === 6
  return isHost && isReachableAddress(host) && port >= 1 && port <= 65_535 ? { host, port } : undefined
}

/** `all`, `samehost` and `samenet`, which pg_hba.conf does not take for host names. */
export function isHbaWord(text: string): boolean {
  return hbaWords.includes(text.toLowerCase())
}

/** A zone (`fe80::1%eth0`) means something on one machine only, so an address with one is none here. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%')
}

/** A host name as DNS has it. One that ends in a number is a mistyped IPv4 address. */
function isHostName(text: string): boolean {
  const labels = text.split('.')
  return text.length <= 253 && labels.every((part) => label.test(part)) && !/^\d+$/.test(labels.at(-1) ?? '')
}
