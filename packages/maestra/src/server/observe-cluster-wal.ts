import { kindOfWalFile } from '@maestra/client/postgres/wal-file'
import { type DeclaredCluster, type DeclaredNode, upstreamOf, upstreamsOf } from '../cluster/declared-cluster.js'
import type { NodeObservation } from '../cluster/observation.js'
import { streamsFromUpstream } from '../cluster/streams-from-upstream.js'
import type { HostFiles } from '../host/host.js'
import { withinNodeDeadline } from './node-deadline.js'
import { observeWal, observeWalToCompare, type WalLook } from './observe-wal.js'
import { differenceFrom } from './wal-tail.js'

type Wal = NodeObservation['wal']

/**
 * Looks at the WAL of standbys that do not stream from where they should, then at that of the standbys on their way to the
 * primary, and at last at that of the primary: what a standby has its primary had before. Others are not looked at.
 */
export async function withWal(
  files: HostFiles,
  cluster: DeclaredCluster,
  nodes: readonly NodeObservation[],
): Promise<readonly NodeObservation[]> {
  const away = cluster.nodes.filter((node) => isAway(cluster, node, nodes))
  if (away.length === 0) return nodes
  const looked = new Map<string, WalLook>()
  const look = async (node: DeclaredNode): Promise<void> => {
    const seen = nodes[cluster.nodes.indexOf(node)]
    if (seen?.directory.kind !== 'data') return
    const looking = away.includes(node)
      ? observeWalToCompare(files, node.data, seen.server)
      : observeWal(files, node.data, seen.server).then((wal) => ({ wal }))
    looked.set(
      node.name,
      await withinNodeDeadline<WalLook>(looking, (because) => ({ wal: { kind: 'unknown', because } })),
    )
  }
  const above = new Set(away.flatMap((node) => upstreamsOf(cluster, node)))
  await Promise.all(away.map(look))
  await Promise.all([...above].filter((node) => !away.includes(node) && node.startsAs !== 'primary').map(look))
  await Promise.all([...above].filter((node) => node.startsAs === 'primary').map(look))
  const compared = new Map(
    await Promise.all(
      away.map(async (node) => [node.name, await withDifference(files, cluster, node, looked)] as const),
    ),
  )
  // At last: WAL that was on the primary may be in the archive by now.
  const archive = await archivedNames(files, cluster)
  return nodes.map((seen) => {
    const wal = compared.get(seen.name) ?? looked.get(seen.name)?.wal
    const needed = looked.get(seen.name)?.needed
    if (archive === undefined || needed === undefined || wal?.kind !== 'known') return { ...seen, wal }
    return { ...seen, wal: { ...wal, archived: archive.has(needed) } }
  })
}

/** The segments in the declared archive, without their timelines; undefined where there is none, or nobody could look. */
async function archivedNames(files: HostFiles, cluster: DeclaredCluster): Promise<ReadonlySet<string> | undefined> {
  if (cluster.archive === undefined) return undefined
  const listing = files.list(cluster.archive.directory).catch(() => undefined)
  const names = await withinNodeDeadline(listing, () => undefined)
  return names && new Set(names.filter((name) => kindOfWalFile(name) === 'segment').map((name) => name.slice(8)))
}

/** Whether it is a standby with data that does not stream from where it should. */
function isAway(cluster: DeclaredCluster, node: DeclaredNode, nodes: readonly NodeObservation[]): boolean {
  const seenOf = (name: string | undefined) => nodes.find((each) => each.name === name)
  const seen = seenOf(node.name)
  if (node.startsAs === 'primary' || seen?.directory.kind !== 'data') return false
  return !streamsFromUpstream(cluster, node, seen, seenOf(upstreamOf(cluster, node)?.name))
}

/**
 * Up to the end of a standby its primary has the same bytes, wherever it has come since. Where that has removed them, the
 * other nodes on the way are asked; where nobody has them, nothing is known.
 */
async function withDifference(
  files: HostFiles,
  cluster: DeclaredCluster,
  node: DeclaredNode,
  looked: ReadonlyMap<string, WalLook>,
): Promise<Wal> {
  const { wal, tail } = looked.get(node.name) ?? {}
  if (wal?.kind !== 'known' || tail === undefined) return wal
  const upstreams = upstreamsOf(cluster, node)
  for (const source of [...upstreams.slice(-1), ...upstreams.slice(0, -1)]) {
    const its = looked.get(source.name)?.wal
    if (its?.kind !== 'known' || its.end < wal.end) continue
    const comparing = differenceFrom(files, source.data, tail).catch(() => undefined)
    const at = await withinNodeDeadline(comparing, () => undefined)
    if (at === 'same') return wal
    if (at !== undefined) return { ...wal, differs: { from: source.name, at } }
  }
  return wal
}
