import { settingsOf } from '@maestra/client/postgres/conf'
import { formatLsn } from '@maestra/client/postgres/lsn'
import { nodeConfiguration } from '../cluster/node-configuration.js'
import type { WalObservation } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'

/** Whether a standby finds on its primary the WAL that it goes on with. */
export type StandbyWal =
  /** It streams, or all that it needs is there. */
  | { readonly kind: 'kept' }
  /** Its primary has removed it; the words say which. With an archive the standby gets it from there. */
  | { readonly kind: 'gone'; readonly words: string; readonly archived: boolean }
  | { readonly kind: 'unknown'; readonly because: string }

/** Gone is only what is certainly gone: by the files of both, looked at in that order. */
export function standbyWal(view: ClusterView, standby: NodeView): StandbyWal {
  const { primary } = view
  const [own, source] = [standby.observed.wal, primary.observed.wal]
  // Nobody has looked: it streams, or has no data.
  if (own === undefined || source === undefined) return { kind: 'kept' }
  if (own.kind === 'unknown') return own
  if (source.kind === 'unknown') return source
  if (own.needs >= source.from) return { kind: 'kept' }
  const { name } = standby.declared
  return {
    kind: 'gone',
    words: `${name} goes on from ${formatLsn(own.end)}, and ${primary.declared.name} has WAL from ${formatLsn(source.from)} on`,
    archived: hasArchive(view, standby, own),
  }
}

/** A command that somebody gave it may find anything anywhere; an archive that is not there yet has nothing. */
function hasArchive(view: ClusterView, { declared }: NodeView, own: WalObservation): boolean {
  if (own.restores || declared.parameters['restore_command']) return true
  const { archive, cluster } = view
  if (archive?.kind === 'absent') return false
  return Boolean(settingsOf(nodeConfiguration(cluster, declared).settings)['restore_command'])
}
