import type { Finding } from '../../cluster/finding.js'
import { declaredNumber } from '../parameter-value.js'
import { parameterPlace } from '../place.js'
import type { Rule } from '../rule.js'

/** What each end of a replication connection waits with for the other, and what happens when it waits for ever. */
const timeouts = {
  wal_sender_timeout: 'a primary never notices that a standby is gone',
  wal_receiver_timeout: 'a standby never notices that its primary is gone',
} as const

/** Both ends of replication notice when the other is gone. */
export const replicationTimeouts: Rule = {
  name: 'replication-timeouts',
  why: 'A machine that loses its power or its network closes no connection. Without a timeout the other end waits for it, and a standby does not connect anew.',
  check(view) {
    const nodes = view.declared?.nodes ?? []
    return nodes.flatMap((node) =>
      Object.entries(timeouts).flatMap(([name, consequence]): Finding[] => {
        if (declaredNumber(node, name) !== 0) return []
        return [
          {
            rule: 'replication-timeouts',
            severity: 'warning',
            message: `\`${name}\` is 0: ${consequence}`,
            hint: 'leave it out for 60s, or declare the longest silence that you allow',
            place: parameterPlace(view, node, name),
          },
        ]
      }),
    )
  },
}
