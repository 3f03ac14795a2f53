import { stringify } from 'yaml'

/** What a new cluster file is made from. Values are as a person gives them; whether they may be so, loading tells. */
export type InitialCluster = {
  readonly cluster: string
  /** Major version of PostgreSQL. */
  readonly pg: string
  readonly replicas: number
  /** The port of the first node; the others count up from it. */
  readonly port: string
  /** The directory that holds the data directories, each named after its node. */
  readonly data: string
}

export const initialCluster: InitialCluster = { cluster: 'shop', pg: '18', replicas: 1, port: '5432', data: './data' }

/** A commented cluster file. Keys that few need stand in it as comments. */
export function initialClusterText({ cluster, pg, replicas, port, data }: InitialCluster): string {
  const directory = data === '/' ? '' : data.replace(/\/+$/, '')
  const nodes = Array.from({ length: replicas + 1 }, (_, index) => ({
    name: `db${index + 1}`,
    port: scalar(/^\d+$/.test(port) ? Number(port) + index : port),
    // Nothing is no directory, and must not become the root of all.
    data: scalar(data === '' ? '' : `${directory}/db${index + 1}`),
  }))
  const [first, ...others] = nodes
  const replicaLines = others.map(
    (node) => `\n  - name: ${node.name}\n    port: ${node.port}\n    data: ${node.data}\n`,
  )
  return `# A PostgreSQL cluster: one primary, and the replicas that follow it.
# \`maestra plan\` shows what would be done, \`maestra apply\` does it, \`maestra status\` shows how it is.

# The name of the cluster. It is written into every data directory and may not change afterwards.
cluster: ${scalar(cluster)}

postgres:
  # The major version of PostgreSQL that every node runs.
  version: ${scalar(/^\d+(\.\d+)?$/.test(pg) ? Number(pg) : pg)}
  # The directory of its programs (initdb, postgres), when they are in none of the usual places.
  # bin: /usr/lib/postgresql/${/^\d+$/.test(pg) ? pg : initialCluster.pg}/bin

# The servers. \`maestra add replica <name>\` and \`maestra remove <name>\` change this list, and so may you.
nodes:
  - name: ${first?.name}
    # The port that it listens on.
    port: ${first?.port}
    # Its data directory, absolute or relative to this file. Maestra makes it.
    data: ${first?.data}
    # Exactly one node starts as the primary; all others follow it.
    primary: true
    # The address at which applications and the other nodes reach it.
    # host: 127.0.0.1
    # Parameters of PostgreSQL for this node alone.
    # parameters:
    #   work_mem: 8MB
${replicaLines.join('')}
# How replicas log in at the primary: as this role, which Maestra makes, with a password, which it makes too.
# replication:
#   role: replicator
#   authentication: scram-sha-256

# From where applications may connect, with a password: ranges, addresses or host names. This machine always may.
# allow:
#   - 10.0.0.0/8

# Parameters of PostgreSQL for every node, as in postgresql.conf.
# parameters:
#   shared_buffers: 256MB

# The file with the passwords of this cluster. Maestra makes it; only its owner can read it.
# passfile: maestra.pgpass
`
}

function scalar(value: string | number): string {
  return stringify(value, { version: '1.2', lineWidth: 0, blockQuote: false }).trimEnd()
}
