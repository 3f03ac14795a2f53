import type { DeclaredCluster, DeclaredNode } from '../cluster/declared-cluster.js'
import type { CopyObservation, NodeObservation, Observation } from '../cluster/observation.js'
import type { KeptConnections } from './connection.js'
import { withinNodeDeadline } from './node-deadline.js'
import { observeArchive } from './observe-archive.js'
import { withWal } from './observe-cluster-wal.js'
import { observeCopy } from './observe-copy.js'
import { type LoginParts, observeNode, superuserAt, unknownNode } from './observe-node.js'
import { observePasswords } from './passfile.js'
import type { Site } from './site.js'

/** Looks at all nodes at once. What cannot be known is a value with its reason, never an exception. */
export async function observeCluster(
  site: Site,
  cluster: DeclaredCluster,
  kept?: KeptConnections,
): Promise<Observation> {
  const passwords = await observePasswords(site, cluster)
  const [nodes, archive] = await Promise.all([
    Promise.all(
      cluster.nodes.map((node) =>
        withinNodeDeadline(observeNode(site, cluster, node, { passwords, kept }), (because) =>
          unknownNode(node, because),
        ),
      ),
    ),
    cluster.archive === undefined ? undefined : observeArchive(site.host, cluster, cluster.archive.directory),
  ])
  const primary = cluster.nodes.findIndex((node) => node.startsAs === 'primary')
  const copy = await observeCopyOf(cluster.nodes[primary], nodes, primary, { passwords, kept })
  return {
    nodes: await withWal(site.host.files, cluster, nodes),
    passwords,
    copy,
    ...(archive === undefined ? {} : { archive }),
  }
}

/** Looking at the size of all databases takes its time, so it is asked only where somebody is to be copied. */
async function observeCopyOf(
  declared: DeclaredNode | undefined,
  nodes: readonly NodeObservation[],
  primary: number,
  login: LoginParts,
): Promise<CopyObservation | undefined> {
  const seen = nodes[primary]
  const isMissing = nodes.some(({ directory }) => directory.kind === 'absent' || directory.kind === 'empty')
  if (declared === undefined || seen?.server.kind !== 'up' || seen.server.inRecovery || !isMissing) return undefined
  return await observeCopy(superuserAt(declared, seen.process, login))
}
