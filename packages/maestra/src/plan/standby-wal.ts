import { settingsOf } from '@maestra/client/postgres/conf'
import { formatLsn } from '@maestra/client/postgres/lsn'
import { nodeConfiguration } from '../cluster/node-configuration.js'
import type { WalObservation } from '../cluster/observation.js'
import { streamsFromUpstream } from '../cluster/streams-from-upstream.js'
import { type ClusterView, type NodeView, upstreamOf, upstreamsOf } from './cluster-view.js'

/** Whether a standby finds on the node that it follows the WAL that it goes on with. */
export type StandbyWal =
  /** It streams, or all that it needs is there. */
  | { readonly kind: 'kept' }
  /** That has removed it, but another one on the way to the primary has it; the words say which. */
  | { readonly kind: 'elsewhere'; readonly words: string; readonly at: string; readonly archived: boolean }
  /** All of them have removed it; the words say which. With an archive the standby gets it from there. */
  | { readonly kind: 'gone'; readonly words: string; readonly archived: boolean }
  | { readonly kind: 'unknown'; readonly because: string }

/** Gone is only what is certainly gone: by the files of both, looked at in that order. */
export function standbyWal(view: ClusterView, standby: NodeView): StandbyWal {
  const own = standby.observed.wal
  const sources = upstreamsOf(view, standby).map(({ declared, observed }) => ({
    name: declared.name,
    wal: observed.wal,
  }))
  const [upstream] = sources
  // Its upstream sends it what it needs, or it has no data.
  if (streamsFromUpstream(view.cluster, standby.declared, standby.observed, upstreamOf(view, standby).observed)) {
    return { kind: 'kept' }
  }
  if (own === undefined || upstream?.wal === undefined) return { kind: 'kept' }
  if (own.kind === 'unknown') return own
  if (upstream.wal.kind === 'unknown') return upstream.wal
  if (own.needs >= upstream.wal.from) return { kind: 'kept' }
  const archived = hasArchive(view, standby, own)
  const { name } = standby.declared
  const words = `${name} goes on from ${formatLsn(own.end)}, and ${upstream.name} has WAL from ${formatLsn(upstream.wal.from)} on`
  const has = sources.find(({ wal }) => wal?.kind !== 'known' || own.needs >= wal.from)
  if (has === undefined) return { kind: 'gone', words, archived }
  if (has.wal?.kind === 'known') return { kind: 'elsewhere', words, at: has.name, archived }
  return { kind: 'unknown', because: has.wal?.because ?? `nobody has looked at the WAL of ${has.name}` }
}

/** A command that somebody gave it may find anything anywhere; the declared archive has what is in it. */
function hasArchive(view: ClusterView, { declared }: NodeView, own: WalObservation): boolean {
  if (own.restores || declared.parameters['restore_command']) return true
  const { archive, cluster } = view
  if (archive?.kind === 'absent' || own.archived === false) return false
  return Boolean(settingsOf(nodeConfiguration(cluster, declared).settings)['restore_command'])
}
