import { slotName } from '../cluster/declared-cluster.js'
import type { ReplicationSlot } from '../cluster/observation.js'
import { type ClusterView, type NodeView, upstreamOf } from './cluster-view.js'
import { type Draft, harmless, nothing, refused, steps, unknown } from './draft.js'
import { psqlCommand } from './psql-command.js'
import { type StandbyWal, standbyWal } from './standby-wal.js'

/**
 * The slot of a standby on the node that it follows. While that cannot be asked the step is planned as well: it looks
 * again when its turn comes. `isLeft`: the standby that uses it is stopped before.
 */
export function planSlot(view: ClusterView, standby: NodeView, isLeft = false): Draft {
  const upstream = upstreamOf(view, standby)
  const { server, directory } = upstream.observed
  const slot = slotName(standby.declared.name)
  const found = server.kind === 'up' ? server.slots.find((each) => each.name === slot) : undefined
  if (found !== undefined) return checkSlot(view, standby, found, isLeft)
  const doubt = server.kind !== 'up' && directory.kind === 'data' ? '; passed over if it is there' : ''
  return steps({
    kind: 'create-slot',
    node: upstream.declared.name,
    slot,
    standby: standby.declared.name,
    why: `by it ${upstream.declared.name} keeps the WAL that ${standby.declared.name} still needs${doubt}`,
    ...harmless,
  })
}

/** A slot that exists may be of another kind, useless by now, or somebody else's. Only one that nobody can use any more is replaced. */
function checkSlot(view: ClusterView, standby: NodeView, found: ReplicationSlot, isLeft: boolean): Draft {
  const { name: slot, physical, active, walStatus, invalidation } = found
  const upstream = upstreamOf(view, standby).declared
  const { name } = standby.declared
  const hasData = standby.observed.directory.kind === 'data'
  const drop = `drop it: ${psqlCommand(upstream, `select pg_drop_replication_slot('${slot}')`)}`
  if (!physical) {
    return refused(
      upstream.name,
      `its replication slot ${slot} is a logical one, and ${name} needs a physical one of that name`,
      `give ${name} another name; or, if nobody needs the slot, ${drop}`,
    )
  }
  if (walStatus === 'lost') {
    const why = `it is lost${invalidation === undefined ? '' : ` (${invalidation})`}: WAL that it was to keep for ${name} has been removed`
    return planUselessSlot(view, standby, { slot, is: 'is lost', why })
  }
  if (walStatus === undefined && !active) {
    const why = `it was made without reserving WAL, and keeps none for ${name}`
    return planUselessSlot(view, standby, { slot, is: 'keeps no WAL', why })
  }
  if (active && !hasData && !isLeft) {
    return refused(
      upstream.name,
      `its replication slot ${slot} is in use by another server, while ${name} holds no data yet`,
      `see which one: ${psqlCommand(upstream, 'select pid, application_name, client_addr from pg_stat_replication')}`,
    )
  }
  return nothing
}

/** It keeps nothing and nobody can use it, so nothing is lost with it. What the standby goes on with comes from elsewhere. */
function planUselessSlot(
  view: ClusterView,
  standby: NodeView,
  { slot, is, why }: { readonly slot: string; readonly is: string; readonly why: string },
): Draft {
  const upstream = upstreamOf(view, standby).declared.name
  const { name } = standby.declared
  const wal = standbyWal(view, standby)
  if (wal.kind === 'unknown') {
    return unknown(
      name,
      `whether it can go on is unknown, because ${wal.because}; its replication slot ${slot} on ${upstream} ${is}`,
    )
  }
  const goesOn = standby.observed.directory.kind === 'data' ? `; ${sourceWords(upstream, name, wal)}` : ''
  return steps({ kind: 'replace-slot', node: upstream, slot, standby: name, why: `${why}${goesOn}`, ...harmless })
}

/** Where the standby finds what it goes on with; one that finds it nowhere has no data any more when this is asked. */
function sourceWords(upstream: string, name: string, wal: StandbyWal): string {
  return wal.kind === 'gone'
    ? `${wal.words}; the rest is fetched by its restore_command`
    : `${upstream} still has all that ${name} needs`
}
