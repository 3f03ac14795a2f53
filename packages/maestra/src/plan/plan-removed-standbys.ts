import { slotName } from '../cluster/declared-cluster.js'
import { toldStandbys } from '../cluster/node-configuration.js'
import type { DataDirectory, ReplicationSlot } from '../cluster/observation.js'
import type { ClusterView } from './cluster-view.js'
import { type Draft, harmless, join, nothing, refused, steps } from './draft.js'
import { ownData } from './own-data.js'

/**
 * Drops the slots of standbys that were taken out of the file. While the primary cannot be asked the steps are planned
 * as well: they look again when their turn comes.
 */
export function planRemovedStandbys(view: ClusterView, directory: DataDirectory): Draft {
  return join(removedStandbys(view, directory).map((standby) => planRemoved(view, standby)))
}

/**
 * Names that the primary's file tells and the cluster file does not declare any more. One whose slot a declared standby
 * has taken over is none of them.
 */
export function removedStandbys({ standbys }: ClusterView, directory: DataDirectory): readonly string[] {
  const declared = standbys.map((standby) => slotName(standby.declared.name))
  return toldStandbys(directory.configuration.settings ?? '').filter((name) => !declared.includes(slotName(name)))
}

/** Whether a slot is one that a plan drops, or would if nothing stood in its way. */
export function isOfRemovedStandby(view: ClusterView, slot: ReplicationSlot): boolean {
  const directory = ownData(view.primary, view.cluster.name)
  if (directory === undefined || !slot.physical) return false
  return removedStandbys(view, directory).some((name) => slotName(name) === slot.name)
}

function planRemoved({ primary }: ClusterView, standby: string): Draft {
  const { name } = primary.declared
  const { server } = primary.observed
  const slot = slotName(standby)
  const found = server.kind === 'up' ? server.slots.find((each) => each.name === slot && each.physical) : undefined
  if (server.kind === 'up' && found === undefined) return nothing
  if (found?.active) {
    return refused(
      standby,
      `it is not declared any more and still streams from ${name} through its slot ${slot}`,
      'stop its server first, then: maestra apply',
    )
  }
  const doubt = server.kind === 'up' ? '' : '; passed over if it is gone'
  return steps({
    kind: 'drop-slot',
    node: name,
    slot,
    standby,
    why: `${standby} is not declared any more, and ${name} would keep WAL for it for ever; without the slot ${standby} can catch up only while ${name} still has all WAL since, else it has to be copied anew${doubt}`,
    ...harmless,
  })
}
