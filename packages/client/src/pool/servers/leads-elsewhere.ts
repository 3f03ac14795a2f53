import type { NodeView } from '../../routing/topology/topology.js'
import type { ServerConnection } from '../connections/server-connection.js'

/**
 * Whether a connection that was just opened leads elsewhere than the one by which its node is watched, which goes on where it was: a name
 * or a forwarder leads to another server by now, or a pooler has come in between, or has gone (rule R4).
 */
export function leadsElsewhere({ number, identity, isPooled }: ServerConnection, watched: NodeView): boolean {
  if (identity === undefined || watched.connection === 0 || number < watched.connection) return false
  const { systemIdentifier, startedAt, pooler } = watched
  return isPooled !== pooler || identity.systemIdentifier !== systemIdentifier || identity.startedAt !== startedAt
}
