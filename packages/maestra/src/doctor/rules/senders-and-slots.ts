import { type DeclaredCluster, type DeclaredNode, followersOf } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { integerParameter } from '../integer-parameter.js'
import { parameterPlace } from '../place.js'
import type { Rule, View } from '../rule.js'

/** Whoever is followed has a WAL sender and a slot for each standby, and the WAL is such that a standby can follow. */
export const sendersAndSlots: Rule = {
  name: 'senders-and-slots',
  why: 'Each standby occupies one WAL sender and one replication slot of the node that it follows. A base backup takes one more sender for as long as it lasts.',
  check(view) {
    const { declared } = view
    const primary = declared?.nodes.find((node) => node.startsAs === 'primary')
    if (declared === undefined || primary === undefined) return []
    return [
      ...declared.nodes.flatMap((node) => {
        const standbys = followersOf(declared, node).length
        if (standbys === 0 && node !== primary) return []
        return [...sendersFindings(view, node, standbys), ...slotsFindings(view, node, standbys)]
      }),
      ...walLevelFindings(view, declared),
    ]
  },
}

/**
 * One sender is enough for one standby: the sender of its base backup is gone before the standby starts. With no
 * sender to spare, a further
 * standby can only be added, or an old one rebuilt, while another one is away.
 */
function sendersFindings(view: View, node: DeclaredNode, standbys: number): Finding[] {
  const senders = integerParameter(node, 'max_wal_senders')
  if (senders === undefined || senders.value > standbys) return []
  const tooFew = senders.value < Math.max(standbys, 1)
  const needs = standbys === 0 ? 'a base backup needs one' : counted(node, standbys)
  return [
    {
      rule: 'max-wal-senders',
      severity: tooFew ? 'error' : 'warning',
      message: tooFew
        ? `\`max_wal_senders\` ${senders.words}: ${needs}`
        : `\`max_wal_senders\` ${senders.words}: ${needs}, and none is left for a base backup`,
      hint: `set it to ${standbys + 1} or more${standbys === 0 ? '' : ': one for each standby, and one for a base backup'}`,
      place: parameterPlace(view, node, 'max_wal_senders'),
    },
  ]
}

function slotsFindings(view: View, node: DeclaredNode, standbys: number): Finding[] {
  const slots = integerParameter(node, 'max_replication_slots')
  if (slots === undefined || slots.value >= standbys) return []
  return [
    {
      rule: 'max-replication-slots',
      severity: 'error',
      message: `\`max_replication_slots\` ${slots.words}: ${counted(node, standbys)}`,
      hint: `set it to ${standbys} or more`,
      place: parameterPlace(view, node, 'max_replication_slots'),
    },
  ]
}

/** On every node, as each may one day be the primary. */
function walLevelFindings(view: View, declared: DeclaredCluster): Finding[] {
  const minimal = declared.nodes.filter((node) => node.parameters['wal_level']?.toLowerCase() === 'minimal')
  return minimal.map((node) => ({
    rule: 'wal-level',
    severity: 'error',
    message: '`wal_level` is minimal: such WAL is not enough for a standby',
    hint: 'leave it out, or set it to replica or logical',
    place: parameterPlace(view, node, 'wal_level'),
  }))
}

/** On the primary there is no need to say whom they follow. */
function counted({ name, startsAs }: DeclaredNode, standbys: number): string {
  const follow = startsAs === 'primary' ? '' : ` of ${name}`
  return standbys === 1 ? `1 standby${follow} needs one` : `${standbys} standbys${follow} need one each`
}
