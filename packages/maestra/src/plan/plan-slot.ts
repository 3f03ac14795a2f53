import { slotName } from '../cluster/declared-cluster.js'
import type { ReplicationSlot } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, harmless, nothing, refused, steps } from './draft.js'
import { psqlCommand } from './psql-command.js'

/**
 * The slot of a standby on the primary. While the primary cannot be asked the step is planned as well: it looks again
 * when its turn comes.
 */
export function planSlot(view: ClusterView, standby: NodeView): Draft {
  const { primary } = view
  const { server, directory } = primary.observed
  const slot = slotName(standby.declared.name)
  const found = server.kind === 'up' ? server.slots.find((each) => each.name === slot) : undefined
  if (found !== undefined) return checkSlot(view, standby, found)
  const doubt = server.kind !== 'up' && directory.kind === 'data' ? '; passed over if it is there' : ''
  return steps({
    kind: 'create-slot',
    node: primary.declared.name,
    slot,
    standby: standby.declared.name,
    why: `by it ${primary.declared.name} keeps the WAL that ${standby.declared.name} still needs${doubt}`,
    ...harmless,
  })
}

/** A slot that exists may be of another kind, useless by now, or somebody else's. It is never dropped. */
function checkSlot(view: ClusterView, standby: NodeView, { name: slot, physical, active, walStatus }: ReplicationSlot) {
  const primary = view.primary.declared
  const { name, data } = standby.declared
  const hasData = standby.observed.directory.kind === 'data'
  const drop = `drop it: ${psqlCommand(primary, `select pg_drop_replication_slot('${slot}')`)}`
  if (!physical) {
    return refused(
      primary.name,
      `its replication slot ${slot} is a logical one, and ${name} needs a physical one of that name`,
      `give ${name} another name; or, if nobody needs the slot, ${drop}`,
    )
  }
  if (walStatus === 'lost') {
    return refused(
      primary.name,
      `its replication slot ${slot} is lost: WAL that it was to keep for ${name} has been removed`,
      hasData
        ? `${name} has to be copied anew: stop it, mv ${data} ${data}.aside, and ${drop}; then: maestra apply`
        : `${drop}; then: maestra apply`,
    )
  }
  if (active && !hasData) {
    return refused(
      primary.name,
      `its replication slot ${slot} is in use by another server, while ${name} holds no data yet`,
      `see which one: ${psqlCommand(primary, 'select pid, application_name, client_addr from pg_stat_replication')}`,
    )
  }
  return nothing
}
