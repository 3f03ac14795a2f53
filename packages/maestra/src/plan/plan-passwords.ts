import { join as path } from 'node:path'
import { superuser } from '../cluster/declared-cluster.js'
import { nodePassfile } from '../cluster/node-configuration.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, harmless, join, nothing, steps, stops, unknown } from './draft.js'
import { ownData } from './own-data.js'

/**
 * The passwords that the cluster's passfile does not hold are made anew where nothing can know others yet. Beside a
 * server that exists, a new password would only lock Maestra, or the standbys, out.
 */
export function planPasswords(view: ClusterView): Draft {
  const { role, authentication } = view.cluster.replication
  const needed = [
    { user: superuser, known: view.passwords.superuser !== undefined },
    { user: role, known: authentication === 'trust' || view.passwords.replication !== undefined },
  ]
  const missing = needed.filter(({ known }) => !known).map(({ user }) => user)
  if (missing.length === 0) return planLines(view)
  const lost = join([checkSuperuser(view), checkReplicationRole(view)])
  if (stops(lost)) return lost
  return steps({
    kind: 'write-passfile',
    why: `${view.cluster.passfile} holds no password of ${missing.join(' and ')}; made at random and kept there`,
    ...harmless,
  })
}

/** Whoever reads the passfile with psql finds every node in it, also one that was declared later. */
function planLines({ passwords, cluster }: ClusterView): Draft {
  if (passwords.nodesWithout.length === 0) return nothing
  return steps({
    kind: 'write-passfile',
    why: `${cluster.passfile} has no lines for ${passwords.nodesWithout.join(', ')}`,
    ...harmless,
  })
}

function checkSuperuser(view: ClusterView): Draft {
  const existing = nodesWithData(view)[0]
  if (view.passwords.superuser !== undefined || existing === undefined) return nothing
  const { ignoredPassfile } = view.passwords
  const ways = 'put the passfile back, set PGPASSWORD, or write it into ~/.pgpass'
  return unknown(
    existing.declared.name,
    `the password of its superuser ${superuser} is not in ${view.cluster.passfile}`,
    ignoredPassfile === undefined ? ways : `${ways}; ${ignoredPassfile}`,
  )
}

/** A role that is not there yet gets a new password; one that may be there has a password already. */
function checkReplicationRole(view: ClusterView): Draft {
  const { replication, passfile } = view.cluster
  const { primary } = view
  const existing = nodesWithData(view)[0]
  const { server } = primary.observed
  const isToBeMade = server.kind === 'up' && server.replicationRole === undefined
  if (replication.authentication === 'trust' || view.passwords.replication !== undefined) return nothing
  if (existing === undefined || isToBeMade) return nothing
  const { host, port } = primary.declared
  const copy = nodesWithData(view).find((node) => ownPassfile(view, node) !== undefined)
  return unknown(
    existing.declared.name,
    `the password of its replication role ${replication.role} is not in ${passfile}`,
    copy === undefined
      ? `set one with \\password ${replication.role} in psql, and add to ${passfile} the line ${host}:${port}:*:${replication.role}:<password>`
      : `put the passfile back, or add the lines of ${path(copy.declared.data, nodePassfile)} to it`,
  )
}

function nodesWithData(view: ClusterView): readonly NodeView[] {
  return [view.primary, ...view.standbys].filter((node) => ownData(node, view.cluster.name) !== undefined)
}

function ownPassfile(view: ClusterView, node: NodeView) {
  return ownData(node, view.cluster.name)?.configuration.passfile
}
