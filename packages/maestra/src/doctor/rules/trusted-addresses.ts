import type { Finding } from '../../cluster/finding.js'
import { placeOf } from '../place.js'
import { isPublicAddress } from '../public-address.js'
import type { Rule } from '../rule.js'

/** Replication without a password stays within a network of one's own. */
export const trustedAddresses: Rule = {
  name: 'trusted-addresses',
  why: 'With trust, whoever sends from the address of a node reads everything. On the internet an address belongs to whoever holds it today.',
  check(view) {
    const { declared } = view
    if (declared?.replication.authentication !== 'trust') return []
    return declared.nodes.flatMap(({ name, host }, index): Finding[] => {
      if (!isPublicAddress(host)) return []
      return [
        {
          rule: 'trusted-addresses',
          severity: 'warning',
          message: `replication trusts ${host}, the public address of node ${name}: whoever sends from there may read everything`,
          hint: 'leave `replication.authentication` out, so that standbys prove by a password who they are',
          place: placeOf(view, ['nodes', index, 'host']),
        },
      ]
    })
  },
}
