import type { DataDirectory, RunningServer } from '../cluster/observation.js'
import { type Draft, harmless, join, nothing, refused, steps, stops, unknown } from './draft.js'
import type { ClusterView } from './plan-cluster.js'
import { planConfiguration } from './plan-configuration.js'
import { checkDirectory } from './plan-directory.js'
import { planStart } from './plan-start.js'

/** From what the primary is to a primary that runs as declared and lets its standbys in. */
export function planPrimary(view: ClusterView): Draft {
  const { primary } = view
  const wrong = checkDirectory(primary, view.cluster.name, view.cluster.postgres.version)
  if (stops(wrong)) return wrong
  const { directory } = primary.observed
  return directory.kind === 'data' ? planExistingPrimary(view, directory) : planNewPrimary(view)
}

function planNewPrimary(view: ClusterView): Draft {
  const { declared } = view.primary
  const survivor = view.standbys.find((standby) => standby.observed.directory.kind === 'data')
  if (survivor !== undefined) {
    return refused(
      declared.name,
      `${declared.data} is gone, while ${survivor.declared.name} still holds data in ${survivor.declared.data}; a new primary would be empty`,
      `put the data directory of ${declared.name} back where it was; the data of ${survivor.declared.name} is not touched`,
    )
  }
  const start = planStart(view.primary, 'a new primary')
  if (stops(start)) return start
  return join([
    steps({ kind: 'initialise', node: declared.name, why: `${declared.data} holds no data yet`, ...harmless }),
    start,
    planReplicationRole(view, undefined),
  ])
}

function planExistingPrimary(view: ClusterView, directory: DataDirectory): Draft {
  const { declared, observed } = view.primary
  const { server } = observed
  if (directory.standbySignal || (server.kind === 'up' && server.inRecovery)) {
    return refused(
      declared.name,
      `it is declared as the primary and is a standby (timeline ${directory.control.timeline})`,
      `declare primary: true for the node that is the primary; this version does not change the primary`,
    )
  }
  if (view.passwords.superuser === undefined) return unknownPassword(view)
  const configuration = planConfiguration(view, view.primary, directory)
  switch (server.kind) {
    case 'down':
      return join([configuration, planStart(view.primary, 'it is stopped'), planReplicationRole(view, undefined)])
    case 'up':
      return join([checkIdentity(view, server, directory), configuration, planReplicationRole(view, server)])
    case 'starting':
    case 'unreachable':
      return unknown(declared.name, `its server cannot be asked, because ${server.because}`)
  }
}

function unknownPassword(view: ClusterView): Draft {
  const { declared } = view.primary
  return unknown(
    declared.name,
    `the password of its superuser is not in ${view.cluster.passfile}`,
    'put the passfile back, or set PGPASSWORD',
  )
}

function checkIdentity(view: ClusterView, server: RunningServer, directory: DataDirectory): Draft {
  if (server.systemIdentifier === directory.control.systemIdentifier) return nothing
  const { name, host, port, data } = view.primary.declared
  return refused(
    name,
    `the server at ${host}:${port} is of system ${server.systemIdentifier}, and ${data} of system ${directory.control.systemIdentifier}`,
  )
}

/** While the primary cannot be asked the step is planned as well: it looks again when its turn comes. */
function planReplicationRole(view: ClusterView, server: RunningServer | undefined): Draft {
  const { role } = view.cluster.replication
  const found = server?.replicationRole
  if (found?.canLogin && found.canReplicate) return nothing
  return steps({
    kind: 'create-replication-role',
    node: view.primary.declared.name,
    role,
    why:
      server === undefined
        ? `standbys connect as ${role}; made unless it is there`
        : found === undefined
          ? `standbys connect as ${role}, which does not exist`
          : `standbys connect as ${role}, which may not log in or replicate`,
    ...harmless,
  })
}
