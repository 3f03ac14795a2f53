import { isOfSettingsFile } from '../cluster/node-configuration.js'
import type { DataDirectory, ServerObservation } from '../cluster/observation.js'
import type { NodeView } from './cluster-view.js'
import { type Draft, join, nothing, refused, unknown } from './draft.js'
import { psqlCommand } from './psql-command.js'
import { stopCommand } from './stop-command.js'

/**
 * Says why the server of a node that has data may not be worked on; nothing when it is stopped, or is what the
 * directory says it is.
 */
export function checkServer(node: NodeView, directory: DataDirectory): Draft {
  return join([checkProcess(node), checkIdentity(node, directory), checkFiles(node)])
}

/** Steps connect to the declared port: a server that was started with another one is not where they would look. */
function checkProcess(node: NodeView): Draft {
  const { name, port } = node.declared
  const { process } = node.observed
  if (process.kind === 'unknown') {
    return unknown(name, `whether its server runs is unknown, because ${process.because}`)
  }
  // A postmaster that starts has not written its port yet.
  if (process.kind === 'none' || process.port === 0 || process.port === port) return nothing
  return refused(
    name,
    `its server (process ${process.pid}) listens on port ${process.port}, and ${port} is declared; the port of a running server is not changed`,
    `stop it when it suits you${stopCommand(process)}, then: maestra apply`,
  )
}

/** Another server than that of the directory may answer at the node's address. */
export function checkIdentity(node: NodeView, directory: DataDirectory): Draft {
  const { name, host, port, data } = node.declared
  const { server } = node.observed
  const { systemIdentifier } = directory.control
  if (server.kind !== 'up' || server.systemIdentifier === systemIdentifier) return nothing
  return refused(
    name,
    `the server at ${host}:${port} is of system ${server.systemIdentifier}, and ${data} of system ${systemIdentifier}`,
    `see which server answers there: ${psqlCommand(node.declared, 'show data_directory')}`,
  )
}

/** A reload would pass over a file with an error, and a restart would not get up. */
function checkFiles({ declared, observed }: NodeView): Draft {
  const all = observed.server.kind === 'up' ? observed.server.configurationErrors : []
  const errors = all.filter((error) => !isOfSettingsFile(error))
  if (errors.length === 0) return nothing
  return refused(
    declared.name,
    `its configuration files have errors: ${errors.join('; ')}`,
    `correct them in ${declared.data}, then: maestra plan`,
  )
}

/** A server that runs and does not answer as one that is up. */
export function cannotBeAsked(
  node: NodeView,
  server: Extract<ServerObservation, { kind: 'starting' | 'unreachable' }>,
): Draft {
  const hint =
    server.kind === 'starting'
      ? 'wait until it takes connections, then: maestra plan'
      : `try it yourself: ${psqlCommand(node.declared)}`
  return unknown(node.declared.name, `its server cannot be asked, because ${server.because}`, hint)
}
