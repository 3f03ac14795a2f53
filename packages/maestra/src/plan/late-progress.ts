import { parseLsn } from '@maestra/client/postgres/lsn'
import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { NodeObservation, Observation } from '../cluster/observation.js'
import { viewCluster } from './cluster-view.js'
import { whyLate } from './late-standby.js'

/**
 * An observation without what standbys that replay late have replayed since the one before: that goes on by itself, at its
 * own time. What it makes possible belongs to the next plan, and is nothing that an apply has left undone.
 */
export function withoutLateProgress(cluster: DeclaredCluster, now: Observation, before: Observation): Observation {
  const view = viewCluster(cluster, now)
  const late = view.standbys
    .filter((standby) => whyLate(view, standby) !== undefined)
    .map(({ declared }) => declared.name)
  return { ...now, nodes: now.nodes.map((node) => (late.includes(node.name) ? asBefore(node, before) : node)) }
}

function asBefore(node: NodeObservation, before: Observation): NodeObservation {
  const earlier = before.nodes.find((each) => each.name === node.name)
  const { directory, server } = node
  if (directory.kind !== 'data' || earlier?.directory.kind !== 'data' || server.kind !== 'up') return node
  const { standbyMinimums } = earlier.directory.control
  const { lsn, lastReplayedCommitAtMs } = earlier.server.kind === 'up' ? earlier.server : nothingReplayed
  return {
    ...node,
    directory: { ...directory, control: { ...directory.control, standbyMinimums } },
    server: { ...server, lsn, lastReplayedCommitAtMs },
  }
}

const nothingReplayed = { lsn: parseLsn('0/0'), lastReplayedCommitAtMs: undefined }
