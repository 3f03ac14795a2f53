import { slotName } from '../cluster/declared-cluster.js'
import type { Finding } from '../cluster/finding.js'
import { type ClusterView, followersOf, type NodeView } from './cluster-view.js'
import { formerFollowers } from './former-followers.js'
import { psqlCommand } from './psql-command.js'

/**
 * A physical slot that no standby which follows the node uses, nor anybody else, and that Maestra did not make for a standby
 * of before. It keeps WAL there for ever, until the disk is full; whether it may go, only the user knows.
 */
export function slotFindings(view: ClusterView): readonly Finding[] {
  return [view.primary, ...view.standbys].flatMap((node) => findingsOn(view, node))
}

function findingsOn(view: ClusterView, node: NodeView): readonly Finding[] {
  const { server } = node.observed
  if (server.kind !== 'up') return []
  const { removed, moved, waiting } = formerFollowers(view, node)
  const followers = followersOf(view, node).map(({ declared }) => declared.name)
  const known = new Set([...followers, ...removed, ...moved, ...waiting].map(slotName))
  return server.slots
    .filter((slot) => slot.physical && !slot.active && !known.has(slot.name))
    .map((slot) => ({
      rule: 'slot-of-nobody',
      severity: 'warning',
      message: `${node.declared.name} keeps WAL for the replication slot ${slot.name}, which belongs to no declared ${node === view.primary && followers.length === view.standbys.length ? 'node' : 'node that follows it'} and which nobody uses; it can fill the disk`,
      hint: `if nobody needs it: ${psqlCommand(node.declared, `select pg_drop_replication_slot('${slot.name}')`)}`,
      place: undefined,
    }))
}
