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

/**
 * Looks at all nodes at once. What cannot be known is a value with its reason, never an exception. `replace`: standbys that
 * somebody wants to have copied anew.
 */
export async function observeCluster(
  site: Site,
  cluster: DeclaredCluster,
  {
    connections: kept,
    replace = [],
  }: { readonly connections?: KeptConnections | undefined; readonly replace?: readonly string[] } = {},
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
  const withTheirWal = await withWal(site.host.files, cluster, nodes)
  const copy =
    replace.length > 0 || withTheirWal.some(mayBeCopied)
      ? await observeCopyOf(cluster.nodes[primary], nodes[primary], { passwords, kept })
      : undefined
  return { nodes: withTheirWal, passwords, copy, ...(archive === undefined ? {} : { archive }) }
}

/** It has no data, or a standby is away and may find no WAL to go on with. */
function mayBeCopied({ directory, wal }: NodeObservation): boolean {
  return directory.kind === 'absent' || directory.kind === 'empty' || wal !== undefined
}

/** Looking at the size of all databases takes its time, so it is asked only where somebody may be copied. */
async function observeCopyOf(
  declared: DeclaredNode | undefined,
  seen: NodeObservation | undefined,
  login: LoginParts,
): Promise<CopyObservation | undefined> {
  if (declared === undefined || seen?.server.kind !== 'up' || seen.server.inRecovery) return undefined
  return await observeCopy(superuserAt(declared, seen.process, login))
}
