import type { DataDirectory } from '../cluster/observation.js'
import { type Draft, nothing, refused, unknown } from './draft.js'
import type { NodeView } from './plan-cluster.js'

/** Says why a node's data directory may not be worked on; nothing when it is absent, empty, or the node's own. */
export function checkDirectory(node: NodeView, cluster: string, majorVersion: number): Draft {
  const { name, data } = node.declared
  const directory = node.observed.directory
  switch (directory.kind) {
    case 'absent':
    case 'empty':
      return nothing
    case 'unknown':
      return unknown(name, `what ${data} holds is unknown, because ${directory.because}`)
    case 'foreign':
      return refused(
        name,
        `${data} is in the way: it is no data directory of PostgreSQL and holds ${directory.holds.join(', ')}`,
        `name another directory as data of ${name}, or move this one aside: mv ${data} ${data}.aside`,
      )
    case 'data':
      return checkDataDirectory(node, directory, cluster, majorVersion)
  }
}

function checkDataDirectory(node: NodeView, directory: DataDirectory, cluster: string, majorVersion: number): Draft {
  const { name, data } = node.declared
  const { madeFor } = directory
  if (madeFor === undefined) {
    return refused(
      name,
      `${data} is in the way: it holds a PostgreSQL ${directory.majorVersion} server (system ${directory.control.systemIdentifier}, ${directory.control.state}) that Maestra did not make`,
      `name another directory as data of ${name}; this version does not adopt servers that exist already`,
    )
  }
  if (madeFor.cluster !== cluster || madeFor.node !== name) {
    return refused(
      name,
      `${data} is in the way: it belongs to node ${madeFor.node} of cluster ${madeFor.cluster}`,
      `name another directory as data of ${name}`,
    )
  }
  if (directory.majorVersion !== majorVersion) {
    return refused(
      name,
      `${data} was made by PostgreSQL ${directory.majorVersion}, and ${majorVersion} is declared`,
      `declare postgres.version: ${directory.majorVersion}; this version does not upgrade`,
    )
  }
  return nothing
}
