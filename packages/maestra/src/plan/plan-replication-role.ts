import type { ReplicationRole } from '../cluster/observation.js'
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
  const fault = found === undefined ? undefined : faultOf(found, view.cluster.passfile)
  if (found !== undefined && fault === undefined) return nothing
  const step = { kind: 'create-replication-role', node: declared.name, role, ...harmless } as const
  if (fault !== undefined) return steps({ ...step, why: `standbys connect as ${role}, ${fault}` })
  if (server.kind === 'up') return steps({ ...step, why: `standbys connect as ${role}, which does not exist` })
  const doubt = observed.directory.kind === 'data' ? '; passed over if it is there' : ''
  return steps({ ...step, why: `standbys connect as ${role}${doubt}` })
}

/** What keeps standbys from logging in by the password that they have. */
function faultOf({ canLogin, canReplicate, passwordIs }: ReplicationRole, passfile: string): string | undefined {
  const password = passwordFault(passwordIs, passfile)
  const rights = canLogin && canReplicate ? undefined : 'which may not log in or not replicate'
  return rights !== undefined && password !== undefined ? `${rights}, and ${password}` : (rights ?? password)
}

/** The password is set with the rights, where it is not the one that is known. */
function passwordFault(passwordIs: ReplicationRole['passwordIs'], passfile: string): string | undefined {
  switch (passwordIs) {
    case 'another':
      return `whose password is not the one of ${passfile}; it gets that one`
    case 'md5':
      return `whose password is stored as md5, by which scram-sha-256 lets nobody in; it is stored anew`
    case 'known':
    case 'unknown':
      return undefined
  }
}
