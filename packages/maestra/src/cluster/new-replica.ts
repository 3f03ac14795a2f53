import { type DeclaredCluster, primaryOf } from './declared-cluster.js'
import { nodeSpans } from './node-spans.js'
import type { NodeDeclaration } from './print-cluster-file.js'

export type ReplicaOptions = {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly data?: string | undefined
  readonly follows?: string | undefined
}

/** What a node has whose host and port are not declared. */
const defaultHost = '127.0.0.1'
const defaultPort = 5432

/**
 * One more replica for a cluster file: where nothing else is asked for, on the host of the primary, on the port after
 * those of the nodes there, with its data beside those of the last node.
 */
export function newReplica(
  cluster: DeclaredCluster,
  text: string,
  name: string,
  options: ReplicaOptions,
): NodeDeclaration {
  const host = options.host ?? primaryOf(cluster).host
  const ports = cluster.nodes.filter((node) => node.host === host).map((node) => node.port)
  return {
    name,
    ...(host === defaultHost ? {} : { host }),
    port: options.port ?? (ports.length === 0 ? defaultPort : Math.max(...ports) + 1),
    data: options.data ?? dataBeside(cluster, text, name),
    ...(options.follows === undefined ? {} : { follows: options.follows }),
  }
}

/** As the data of the last node are written in the file: `./data/db2` becomes `./data/db3`, `/srv/db2/data` `/srv/db3/data`. */
function dataBeside(cluster: DeclaredCluster, text: string, name: string): string {
  const last = cluster.nodes.at(-1)
  const written = nodeSpans(text)?.items.at(-1)?.data ?? last?.data ?? ''
  const parts = written.replace(/\/+$/, '').split('/')
  const own = parts.lastIndexOf(last?.name ?? '')
  return parts.with(own > -1 ? own : -1, name).join('/')
}
