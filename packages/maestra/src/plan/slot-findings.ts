import { slotName } from '../cluster/declared-cluster.js'
import type { Finding } from '../cluster/finding.js'
import type { ClusterView } from './cluster-view.js'
import { isOfRemovedStandby } from './plan-removed-standbys.js'
import { psqlCommand } from './psql-command.js'

/**
 * A physical slot that no declared standby uses and nobody else does, and that Maestra did not make for a standby of
 * before. It keeps WAL on the primary for ever, until the disk is full; whether it may go, only the user knows.
 */
export function slotFindings(view: ClusterView): readonly Finding[] {
  const { primary, standbys } = view
  const { server } = primary.observed
  if (server.kind !== 'up') return []
  const declared = new Set(standbys.map((standby) => slotName(standby.declared.name)))
  return server.slots
    .filter((slot) => slot.physical && !slot.active && !declared.has(slot.name) && !isOfRemovedStandby(view, slot))
    .map((slot) => ({
      rule: 'slot-of-nobody',
      severity: 'warning',
      message: `${primary.declared.name} keeps WAL for the replication slot ${slot.name}, which belongs to no declared node and which nobody uses; it can fill the disk`,
      hint: `if nobody needs it: ${psqlCommand(primary.declared, `select pg_drop_replication_slot('${slot.name}')`)}`,
      place: undefined,
    }))
}
