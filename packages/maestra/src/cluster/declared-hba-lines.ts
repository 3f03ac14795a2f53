import { formatHbaLine, type HbaLine, hbaAddress, hbaName } from '@maestra/client/postgres/hba'
import { type DeclaredCluster, type DeclaredNode, superuser } from './declared-cluster.js'
import { onceForEach } from './once-for-each.js'

/** Addresses from which the pg_hba.conf of a new data directory lets everybody in who has a password. */
const letInByInitdb: readonly string[] = ['127.0.0.1/32', '::1/128']

/**
 * Whom a node lets in. Every node may one day be the primary, so each lets in what would follow it: all others. Maestra itself
 * comes from any node, or from where the node is. Equal lists are the same array.
 */
export function declaredHbaLines(cluster: DeclaredCluster, node: DeclaredNode): readonly HbaLine[] {
  return linesWithout(cluster)(ownAddresses(cluster, node).join(' '))
}

/** The addresses that the node has for itself, and that nobody follows it from. */
function ownAddresses(cluster: DeclaredCluster, node: DeclaredNode): readonly string[] {
  const { counts, loopbacks } = addressesOf(cluster)
  const own = hbaAddress(node.host)
  // Between loopback addresses of one machine a connection comes from the one that it goes to.
  if (own.every(isLoopback) && loopbacks > 1) return []
  return own.filter((address) => counts.get(address) === 1)
}

const addressesOf = onceForEach(({ nodes }: DeclaredCluster) => {
  const all = nodes.map((node) => hbaAddress(node.host))
  const counts = new Map<string, number>()
  for (const address of all.flat()) counts.set(address, (counts.get(address) ?? 0) + 1)
  return { counts, loopbacks: all.filter((addresses) => addresses.every(isLoopback)).length }
})

/** A line as pg_hba.conf has it; the nodes of a cluster share most of theirs. */
export const hbaLineText = onceForEach(formatHbaLine)

function isLoopback(address: string): boolean {
  return address === '::1/128' || address.startsWith('127.')
}

/** By the addresses, in one text, that replication is not let in from. */
const linesWithout = onceForEach((cluster: DeclaredCluster) => {
  const all = hbaLines(cluster)
  const made = new Map<string, readonly HbaLine[]>()
  return (own: string): readonly HbaLine[] => {
    const lines = made.get(own) ?? without(all, own.split(' '))
    made.set(own, lines)
    return lines
  }
})

type Lines = { readonly replication: readonly HbaLine[]; readonly others: readonly HbaLine[] }

function without({ replication, others }: Lines, own: readonly string[]): readonly HbaLine[] {
  return [...replication.filter((line) => !own.includes(line.address ?? '')), ...others]
}

function hbaLines({ nodes, replication, allow }: DeclaredCluster): Lines {
  const { role, authentication } = replication
  const addresses = [...new Set(nodes.flatMap((node) => hbaAddress(node.host)))]
  const line = (database: string, user: string, method: string) => (address: string) =>
    ({ type: 'host', database, user, address, method }) as const
  return {
    replication: addresses.map(line('replication', hbaName(role), authentication)),
    others: [
      ...addresses.filter((address) => !letInByInitdb.includes(address)).map(line('all', superuser, 'scram-sha-256')),
      ...allow.flatMap(hbaAddress).map(line('all', 'all', 'scram-sha-256')),
    ],
  }
}
