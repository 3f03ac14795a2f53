import { slotName } from '../cluster/declared-cluster.js'
import type { Finding } from '../cluster/finding.js'
import type { ClusterView } from './cluster-view.js'
import { psqlCommand } from './psql-command.js'

/**
 * A physical slot that no declared standby uses and nobody else does: that of a node that was taken out of the file. It
 * keeps WAL on the primary for ever, until the disk is full; whether it may go, only the user knows.
 */
export function slotFindings({ primary, standbys }: ClusterView): readonly Finding[] {
  const { server } = primary.observed
  if (server.kind !== 'up') return []
  const declared = new Set(standbys.map((standby) => slotName(standby.declared.name)))
  return server.slots
    .filter((slot) => slot.physical && !slot.active && !declared.has(slot.name))
    .map((slot) => ({
      rule: 'slot-of-nobody',
      severity: 'warning',
      message: `${primary.declared.name} keeps WAL for the replication slot ${slot.name}, which belongs to no declared node and which nobody uses; it can fill the disk`,
      hint: `if nobody needs it: ${psqlCommand(primary.declared, `select pg_drop_replication_slot('${slot.name}')`)}`,
      place: undefined,
    }))
}
