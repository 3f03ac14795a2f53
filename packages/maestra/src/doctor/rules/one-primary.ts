import type { Finding } from '../../cluster/finding.js'
import { placeOf } from '../place.js'
import type { Rule, View } from '../rule.js'

/** Exactly one node starts as the primary. */
export const onePrimary: Rule = {
  name: 'one-primary',
  why: 'Standbys are copies of one primary. Without one there is nothing to copy; of two, each would take writes that the other never sees.',
  check(view) {
    const nodes = view.declared?.nodes ?? []
    const primaries = nodes.filter((node) => node.startsAs === 'primary')
    const [first, ...others] = primaries
    if (view.declared === undefined) return []
    if (first === undefined) return [noPrimary(view)]
    return others.map((node) => ({
      rule: 'one-primary',
      severity: 'error',
      message: `node ${node.name} is a second primary; ${first.name} is the first`,
      hint: 'leave `primary: true` with one node; all others follow it',
      place: placeOf(view, ['nodes', nodes.indexOf(node), 'primary']),
    }))
  },
}

function noPrimary(view: View): Finding {
  return {
    rule: 'one-primary',
    severity: 'error',
    message: 'no node is the primary',
    hint: 'add `primary: true` to the node that the others are to follow',
    place: placeOf(view, ['nodes']),
  }
}
