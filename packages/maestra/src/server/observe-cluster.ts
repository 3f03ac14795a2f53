import { sleep } from '@maestra/client/base/clock'
import { messageOf } from '@maestra/client/base/error'
import {
  addressOf,
  type DeclaredCluster,
  type DeclaredNode,
  superuser,
  upstreamOf,
} from '../cluster/declared-cluster.js'
import type {
  CopyObservation,
  NodeObservation,
  Observation,
  PasswordsObservation,
  ServerObservation,
} from '../cluster/observation.js'
import { serverAccount } from './account.js'
import { closedFolderOf } from './binaries.js'
import type { KeptConnections, Login } from './connection.js'
import { observeArchive } from './observe-archive.js'
import { observeCopy } from './observe-copy.js'
import { observeDirectory } from './observe-directory.js'
import { observeServer } from './observe-server.js'
import { observeWal } from './observe-wal.js'
import { observePasswords } from './passfile.js'
import { observeProcess } from './postmaster.js'
import { binariesOf, type Site } from './site.js'

/** How long a server may take to let us in, and then to answer, in ms. */
const serverTimeoutMs = 5000
/** How long one node may take in all, its files included, in ms. */
const nodeTimeoutMs = 12_000

/** Looks at all nodes at once. What cannot be known is a value with its reason, never an exception. */
export async function observeCluster(
  site: Site,
  cluster: DeclaredCluster,
  kept?: KeptConnections,
): Promise<Observation> {
  const passwords = await observePasswords(site, cluster)
  const [nodes, archive] = await Promise.all([
    Promise.all(
      cluster.nodes.map((node) =>
        withinDeadline(observeNode(site, cluster, node, { passwords, kept }), (because) => unknownNode(node, because)),
      ),
    ),
    cluster.archive === undefined ? undefined : observeArchive(site.host, cluster, cluster.archive.directory),
  ])
  const primary = cluster.nodes.findIndex((node) => node.startsAs === 'primary')
  const copy = await observeCopyOf(cluster.nodes[primary], nodes, primary, { passwords, kept })
  return { nodes: await withWal(site, cluster, nodes), passwords, copy, ...(archive === undefined ? {} : { archive }) }
}

/** Looking at the size of all databases takes its time, so it is asked only where somebody is to be copied. */
async function observeCopyOf(
  declared: DeclaredNode | undefined,
  nodes: readonly NodeObservation[],
  primary: number,
  login: LoginParts,
): Promise<CopyObservation | undefined> {
  const seen = nodes[primary]
  const isMissing = nodes.some(({ directory }) => directory.kind === 'absent' || directory.kind === 'empty')
  if (declared === undefined || seen?.server.kind !== 'up' || seen.server.inRecovery || !isMissing) return undefined
  return await observeCopy(superuserAt(declared, seen.process, login))
}

function superuserAt(node: DeclaredNode, process: NodeObservation['process'], { passwords, kept }: LoginParts): Login {
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

/**
 * Looks at the WAL of standbys that do not stream from their primary, and then at that of all others: a standby is never
 * ahead of what its primary has after it.
 */
async function withWal(
  { host }: Site,
  cluster: DeclaredCluster,
  nodes: readonly NodeObservation[],
): Promise<readonly NodeObservation[]> {
  const away = cluster.nodes.filter((node, index) => isAway(cluster, node, nodes[index]))
  if (away.length === 0) return nodes
  const look = (node: DeclaredNode): Promise<NodeObservation['wal']> => {
    const seen = nodes[cluster.nodes.indexOf(node)]
    return seen?.directory.kind === 'data'
      ? withinDeadline(observeWal(host.files, node.data, seen.server), (because) => ({ kind: 'unknown', because }))
      : Promise.resolve(undefined)
  }
  const ofAway = await Promise.all(away.map(look))
  const ofOthers = await Promise.all(cluster.nodes.map((node) => (away.includes(node) ? undefined : look(node))))
  return nodes.map((seen, index) => {
    const at = away.findIndex((node) => node.name === seen.name)
    return { ...seen, wal: at >= 0 ? ofAway[at] : ofOthers[index] }
  })
}

/** Whether it is a standby with data that does not stream from where it should. */
function isAway(cluster: DeclaredCluster, node: DeclaredNode, seen: NodeObservation | undefined): boolean {
  const upstream = upstreamOf(cluster, node)
  if (upstream === undefined || seen?.directory.kind !== 'data') return false
  const receiver = seen.server.kind === 'up' ? seen.server.walReceiver : undefined
  const { host, port } = addressOf(upstream, node)
  return receiver?.status !== 'streaming' || receiver.host !== host || receiver.port !== port
}

type LoginParts = { readonly passwords: PasswordsObservation; readonly kept: KeptConnections | undefined }

async function withinDeadline<T>(looking: Promise<T>, late: (because: string) => T): Promise<T> {
  const cancel = new AbortController()
  const tooLate = sleep(nodeTimeoutMs, undefined, { signal: cancel.signal }).then(
    () => late(`it could not be looked at within ${nodeTimeoutMs} ms`),
    () => looking,
  )
  try {
    return await Promise.race([looking, tooLate])
  } finally {
    cancel.abort()
  }
}

async function observeNode(
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
  const account = await serverAccount(host, node.data)
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

function unknownNode(node: DeclaredNode, because: string): NodeObservation {
  return {
    name: node.name,
    directory: { kind: 'unknown', because },
    process: { kind: 'unknown', because },
    server: { kind: 'unreachable', because },
    binaries: { kind: 'missing', looked: [] },
    port: { kind: 'not-asked' },
  }
}
