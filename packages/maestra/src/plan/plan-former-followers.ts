import { slotName } from '../cluster/declared-cluster.js'
import { type ClusterView, type NodeView, upstreamOf } from './cluster-view.js'
import { type Draft, harmless, join, nothing, refused, steps } from './draft.js'
import { formerFollowers } from './former-followers.js'

/**
 * Drops the slots of standbys that were taken out of the file. While the node that they followed cannot be asked the steps
 * are planned as well: they look again when their turn comes.
 */
export function planRemovedStandbys(view: ClusterView, node: NodeView): Draft {
  return join(formerFollowers(view, node).removed.map((standby) => planRemoved(node, standby)))
}

/** Drops the slots that standbys had here before they were declared to follow another node; they stream from there by then. */
export function planMovedStandbys(view: ClusterView, node: NodeView): Draft {
  const slots = formerFollowers(view, node).moved.map(slotName)
  if (slots.length === 0) return nothing
  return join(
    view.standbys
      .filter(({ declared }) => slots.includes(slotName(declared.name)))
      .map((standby) => planMoved(view, node, standby)),
  )
}

function planRemoved(node: NodeView, standby: string): Draft {
  const { name } = node.declared
  const slot = slotName(standby)
  const found = slotOn(node, slot)
  if (found === 'none') return nothing
  if (found !== 'unknown' && found.active) {
    return refused(
      standby,
      `it is not declared any more and still streams from ${name} through its slot ${slot}`,
      'stop its server first, then: maestra apply',
    )
  }
  const doubt = found === 'unknown' ? '; passed over if it is gone' : ''
  return steps({
    kind: 'drop-slot',
    node: name,
    slot,
    standby,
    why: `${standby} is not declared any more, and ${name} would keep WAL for it for ever; without the slot ${standby} can catch up only while ${name} still has all WAL since, else it has to be copied anew${doubt}`,
    ...harmless,
  })
}

function planMoved(view: ClusterView, node: NodeView, standby: NodeView): Draft {
  const { name } = node.declared
  const slot = slotName(standby.declared.name)
  const found = slotOn(node, slot)
  if (found === 'none') return nothing
  const doubt = found === 'unknown' ? '; passed over if it is gone' : ''
  return steps({
    kind: 'drop-slot',
    node: name,
    slot,
    standby: standby.declared.name,
    why: `${standby.declared.name} follows ${upstreamOf(view, standby).declared.name} by now, and ${name} would keep WAL for it for ever${doubt}`,
    ...harmless,
  })
}

function slotOn({ observed: { server } }: NodeView, slot: string) {
  if (server.kind !== 'up') return 'unknown'
  return server.slots.find((each) => each.name === slot && each.physical) ?? 'none'
}
