import type { DeclaredNode } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { isLoopback } from '../host-key.js'
import { placeOf } from '../place.js'
import type { Rule } from '../rule.js'

/** Not the whole world may try passwords. */
export const allowedAddresses: Rule = {
  name: 'allowed-addresses',
  why: 'A range of every address has only the passwords between the internet and the data.',
  check(view) {
    const { declared } = view
    if (declared === undefined || !declared.nodes.some(listensBeyondItself)) return []
    return declared.allow.flatMap((address, index): Finding[] => {
      if (!/\/0+$/.test(address)) return []
      return [
        {
          rule: 'allowed-addresses',
          severity: 'warning',
          message: `\`allow\` has ${address}: whoever reaches a port may try passwords`,
          hint: 'write the ranges that applications come from: 10.0.0.0/8, 2001:db8:7::/48',
          place: placeOf(view, ['allow', index]),
        },
      ]
    })
  },
}

function listensBeyondItself({ host, parameters }: DeclaredNode): boolean {
  const addresses = parameters['listen_addresses']?.split(',').map((address) => address.trim()) ?? [host]
  return addresses.some((address) => address !== '' && !isLoopback(address))
}
