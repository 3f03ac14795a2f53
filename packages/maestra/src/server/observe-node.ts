import { messageOf } from '@maestra/client/base/error'
import { type DeclaredCluster, type DeclaredNode, superuser } from '../cluster/declared-cluster.js'
import type { NodeObservation, PasswordsObservation, ServerObservation } from '../cluster/observation.js'
import { serverAccount } from './account.js'
import { closedFolderOf } from './binaries.js'
import type { KeptConnections, Login } from './connection.js'
import { observeDirectory } from './observe-directory.js'
import { observeServer } from './observe-server.js'
import { observeProcess } from './postmaster.js'
import { binariesOf, type Site } from './site.js'

/** How long a server may take to let us in, and then to answer, in ms. */
const serverTimeoutMs = 5000

/** By what the superuser gets in. */
export type LoginParts = { readonly passwords: PasswordsObservation; readonly kept: KeptConnections | undefined }

/** One node: its directory, its process, its server, its programs, its port. */
export async function observeNode(
  site: Site,
  cluster: DeclaredCluster,
  node: DeclaredNode,
  login: LoginParts,
): Promise<NodeObservation> {
  if (!(await site.host.network.isOwnAddress(node.host))) return elsewhere(node)
  try {
    return await observeLocalNode(site, cluster, node, login)
  } catch (error) {
    return unknownNode(node, messageOf(error))
  }
}

async function observeLocalNode(
  site: Site,
  cluster: DeclaredCluster,
  node: DeclaredNode,
  login: LoginParts,
): Promise<NodeObservation> {
  const { host } = site
  const account = await serverAccount(host, node.data, cluster)
  const looking = observeProcess(host, node.data)
  const [directory, process, binaries, server] = await Promise.all([
    observeDirectory(host, node.data, account),
    looking,
    binariesOf(site, cluster.postgres),
    looking.then((found) => observeNodeServer(cluster, node, found, login)),
  ])
  const closed = binaries.kind === 'found' ? await closedFolderOf(host, binaries.directory, account) : undefined
  return {
    name: node.name,
    directory,
    process,
    binaries:
      closed === undefined || binaries.kind === 'missing'
        ? binaries
        : { kind: 'missing', looked: [`${binaries.directory} (the account ${account.name} cannot enter ${closed})`] },
    port: process.kind === 'none' ? await observePort(host, node) : { kind: 'not-asked' },
    server,
  }
}

async function observeNodeServer(
  cluster: DeclaredCluster,
  node: DeclaredNode,
  process: NodeObservation['process'],
  login: LoginParts,
): Promise<ServerObservation> {
  if (process.kind === 'none') return { kind: 'down' }
  if (process.kind === 'unknown') return { kind: 'unreachable', because: process.because }
  if (process.status === 'starting' || process.status === 'stopping') {
    return { kind: 'starting', because: `it is ${process.status}` }
  }
  const { role, authentication } = cluster.replication
  // On trust no password is asked for, so whatever it is serves.
  const password = authentication === 'trust' ? undefined : login.passwords.replication
  return await observeServer(superuserAt(node, process, login), { name: role, password })
}

async function observePort(host: Site['host'], node: DeclaredNode): Promise<NodeObservation['port']> {
  const found = await host.network.canListen(node.host, node.port)
  return found.free ? { kind: 'free' } : { kind: 'taken', reason: found.reason }
}

function elsewhere(node: DeclaredNode): NodeObservation {
  return unknownNode(node, `${node.host} is no address of this machine, and this version works on this machine only`)
}

/** A node of which nothing can be known, with the reason. */
export function unknownNode(node: DeclaredNode, because: string): NodeObservation {
  return {
    name: node.name,
    directory: { kind: 'unknown', because },
    process: { kind: 'unknown', because },
    server: { kind: 'unreachable', because },
    binaries: { kind: 'missing', looked: [] },
    port: { kind: 'not-asked' },
  }
}

/** The superuser's way into the server of a node, on the port that its process listens on. */
export function superuserAt(
  node: DeclaredNode,
  process: NodeObservation['process'],
  { passwords, kept }: LoginParts,
): Login {
  return {
    node: node.name,
    host: node.host,
    port: (process.kind === 'running' && process.port) || node.port,
    user: superuser,
    password: passwords.superuser,
    timeoutMs: serverTimeoutMs,
    ...(kept === undefined ? {} : { kept }),
  }
}
