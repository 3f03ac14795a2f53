import type { Secret } from '@maestra/client/base/secret'
import { parseBoolean } from '@maestra/client/postgres/setting-value'
import type { DeclaredCluster, DeclaredNode } from '../cluster/declared-cluster.js'
import { nodePassfileText } from '../cluster/node-configuration.js'

/**
 * A node that is declared with `fsync = off` gives up its data at a power cut: nothing of it is worth waiting for a
 * disk.
 */
export function needsSync(node: DeclaredNode): boolean {
  return parseBoolean(node.parameters['fsync'] ?? 'on')
}

/** What the passfile in a node's data directory should say; undefined where replication asks for no password. */
export function passfileOf(cluster: DeclaredCluster, password: Secret | undefined): Secret | undefined {
  return cluster.replication.authentication === 'trust' || password === undefined
    ? undefined
    : nodePassfileText(cluster, password)
}
