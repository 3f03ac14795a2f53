import { type DeclaredCluster, type DeclaredNode, standbysOf } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { integerParameter } from '../integer-parameter.js'
import { parameterPlace } from '../place.js'
import type { Rule, View } from '../rule.js'

/** The primary has a WAL sender and a slot for each standby, and writes WAL that a standby can follow. */
export const sendersAndSlots: Rule = {
  name: 'senders-and-slots',
  why: 'Each standby occupies one WAL sender and one replication slot of the primary. A base backup takes one more sender for as long as it lasts.',
  check(view) {
    const { declared } = view
    const primary = declared?.nodes.find((node) => node.startsAs === 'primary')
    if (declared === undefined || primary === undefined) return []
    const standbys = standbysOf(declared).length
    return [
      ...sendersFindings(view, primary, standbys),
      ...slotsFindings(view, primary, standbys),
      ...walLevelFindings(view, declared),
    ]
  },
}

/**
 * One sender is enough for one standby: the sender of its base backup is gone before the standby starts. With no
 * sender to spare, a further
 * standby can only be added, or an old one rebuilt, while another one is away.
 */
function sendersFindings(view: View, primary: DeclaredNode, standbys: number): Finding[] {
  const senders = integerParameter(primary, 'max_wal_senders')
  if (senders === undefined || senders.value > standbys) return []
  const tooFew = senders.value < Math.max(standbys, 1)
  const needs = standbys === 0 ? 'a base backup needs one' : counted(standbys)
  return [
    {
      rule: 'max-wal-senders',
      severity: tooFew ? 'error' : 'warning',
      message: tooFew
        ? `\`max_wal_senders\` ${senders.words}: ${needs}`
        : `\`max_wal_senders\` ${senders.words}: ${needs}, and none is left for a base backup`,
      hint: `set it to ${standbys + 1} or more${standbys === 0 ? '' : ': one for each standby, and one for a base backup'}`,
      place: parameterPlace(view, primary, 'max_wal_senders'),
    },
  ]
}

function slotsFindings(view: View, primary: DeclaredNode, standbys: number): Finding[] {
  const slots = integerParameter(primary, 'max_replication_slots')
  if (slots === undefined || slots.value >= standbys) return []
  return [
    {
      rule: 'max-replication-slots',
      severity: 'error',
      message: `\`max_replication_slots\` ${slots.words}: ${counted(standbys)}`,
      hint: `set it to ${standbys} or more`,
      place: parameterPlace(view, primary, 'max_replication_slots'),
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

function counted(standbys: number): string {
  return standbys === 1 ? '1 standby needs one' : `${standbys} standbys need one each`
}
