import { isIPv4, isIPv6 } from 'node:net'
import { hostKey, isLoopback } from './host-key.js'

/**
 * Whether an address is known to the whole internet: neither of this machine nor of a private network. False for a name,
 * whose address is not known here. Source: RFC 1918, 3927, 4193, 4291 and 6598.
 */
export function isPublicAddress(host: string): boolean {
  if (isLoopback(host)) return false
  if (isIPv4(host)) return !isPrivateIPv4(host)
  if (!isIPv6(host) || host.includes('%')) return false
  return !/^\[f(?:[cd]|e[89ab])/.test(hostKey(host))
}

function isPrivateIPv4(address: string): boolean {
  const [first = 0, second = 0] = address.split('.').map(Number)
  return (
    first === 10 ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254) ||
    (first === 100 && second >= 64 && second < 128)
  )
}
