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
  return join(
    view.standbys
      .filter(({ declared }) => slots.includes(slotName(declared.name)))
      .map((standby) => {
        const upstream = upstreamOf(view, standby).declared.name
        return dropSlotOf(standby.declared.name, node, `follows ${upstream} by now`)
      }),
  )
}

function planRemoved(node: NodeView, standby: string): Draft {
  const { name } = node.declared
  const slot = slotOf(standby, node)
  if (slot !== 'unknown' && slot?.active) {
    return refused(
      standby,
      `it is not declared any more and still streams from ${name} through its slot ${slot.name}`,
      'stop its server first, then: maestra apply',
    )
  }
  const loss = `; without the slot ${standby} can catch up only while ${name} still has all WAL since, else it has to be copied anew`
  return dropSlotOf(standby, node, 'is not declared any more', loss)
}

function dropSlotOf(standby: string, node: NodeView, why: string, loss = ''): Draft {
  const { name } = node.declared
  const slot = slotOf(standby, node)
  if (slot === undefined) return nothing
  const doubt = slot === 'unknown' ? '; passed over if it is gone' : ''
  return steps({
    kind: 'drop-slot',
    node: name,
    slot: slotName(standby),
    standby,
    why: `${standby} ${why}, and ${name} would keep WAL for it for ever${loss}${doubt}`,
    ...harmless,
  })
}

function slotOf(standby: string, { observed: { server } }: NodeView) {
  if (server.kind !== 'up') return 'unknown'
  return server.slots.find(({ name, physical }) => name === slotName(standby) && physical)
}
