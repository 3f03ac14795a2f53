import { slotName } from '../cluster/declared-cluster.js'
import { toldStandbys } from '../cluster/node-configuration.js'
import { toldSettings } from '../cluster/told-settings.js'
import { type ClusterView, followersOf, type NodeView } from './cluster-view.js'
import { whyLate } from './late-standby.js'
import { otherSource } from './other-source.js'
import { ownData } from './own-data.js'

/**
 * Standbys that a node's file tells and that are not declared to follow it any more. One whose slot a declared follower has
 * taken over is none of them.
 */
export type FormerFollowers = {
  /** Not declared any more. */
  readonly removed: readonly string[]
  /** Declared to follow another node. */
  readonly moved: readonly string[]
  /** The same, and nobody can wait until they do. */
  readonly waiting: readonly string[]
}

export function formerFollowers(view: ClusterView, node: NodeView): FormerFollowers {
  const directory = ownData(node, view.cluster.name)
  const followers = new Set(followersOf(view, node).map(({ declared }) => slotName(declared.name)))
  const told = directory === undefined ? [] : toldStandbys(toldSettings(directory))
  const former = told.filter((name) => !followers.has(slotName(name)))
  const declared = (name: string) => view.standbys.find((each) => slotName(each.declared.name) === slotName(name))
  const isWaiting = (name: string) => {
    const standby = declared(name)
    return standby !== undefined && whyLate(view, standby) !== undefined && !isThere(view, standby)
  }
  return {
    removed: former.filter((name) => declared(name) === undefined),
    moved: former.filter((name) => declared(name) !== undefined && !isWaiting(name)),
    waiting: former.filter(isWaiting),
  }
}

/** Whether a standby streams from the node that it is declared to follow. */
function isThere(view: ClusterView, standby: NodeView): boolean {
  const { server } = standby.observed
  return server.kind === 'up' && otherSource(view, standby, server) === undefined
}
