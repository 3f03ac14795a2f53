import type { ClusterView } from './cluster-view.js'
import { type Draft, harmless, nothing, steps } from './draft.js'

/**
 * The role that standbys log in as. While the primary cannot be asked the step is planned as well: it looks again
 * when its turn comes.
 */
export function planReplicationRole(view: ClusterView): Draft {
  const { role } = view.cluster.replication
  const { declared, observed } = view.primary
  const { server } = observed
  const found = server.kind === 'up' ? server.replicationRole : undefined
  if (found?.canLogin && found.canReplicate) return nothing
  const step = { kind: 'create-replication-role', node: declared.name, role, ...harmless } as const
  if (found !== undefined) {
    return steps({ ...step, why: `standbys connect as ${role}, which may not log in or not replicate` })
  }
  if (server.kind === 'up') return steps({ ...step, why: `standbys connect as ${role}, which does not exist` })
  const doubt = observed.directory.kind === 'data' ? '; passed over if it is there' : ''
  return steps({ ...step, why: `standbys connect as ${role}${doubt}` })
}
