import { join as path } from 'node:path'
import { settingsFile } from '../cluster/node-configuration.js'
import type { DataDirectory } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, nothing, refused, unknown } from './draft.js'

/** Says why a node's data directory may not be worked on; nothing when it is absent, empty, or the node's own. */
export function checkDirectory(view: ClusterView, node: NodeView): Draft {
  const { name, data } = node.declared
  const directory = node.observed.directory
  switch (directory.kind) {
    case 'absent':
    case 'empty':
      return nothing
    case 'unknown':
      return unknown(
        name,
        `what ${data} holds is unknown, because ${directory.because}`,
        // Where the process could not be looked at either, it is not for the rights of a folder.
        node.observed.process.kind === 'unknown' ? undefined : `see who may enter which folder: namei -l ${data}`,
      )
    case 'unusable':
      return refused(
        name,
        `${data} is ${directory.because}, and a data directory is made beside its place and renamed`,
        `declare a directory below it: data: ${path(data, name)}`,
      )
    case 'foreign':
      return refused(
        name,
        `${data} is in the way: it is no data directory of PostgreSQL and holds ${directory.holds.join(', ')}`,
        `name another directory as data of ${name}, or move this one aside: mv ${data} ${data}.aside`,
      )
    case 'data':
      return checkDataDirectory(view, node, directory)
  }
}

function checkDataDirectory(view: ClusterView, node: NodeView, directory: DataDirectory): Draft {
  const { name, data } = node.declared
  const cluster = view.cluster.name
  const { version } = view.cluster.postgres
  const { madeFor } = directory
  if (madeFor === undefined) return unmarked(cluster, node, directory)
  if (madeFor.cluster !== cluster) return ofOtherCluster(cluster, node, madeFor)
  if (madeFor.node !== name) {
    return refused(
      name,
      `${data} is in the way: it was made for node ${madeFor.node} of this cluster`,
      `name another directory as data of ${name}; if the node was renamed, name it ${madeFor.node} again`,
    )
  }
  if (directory.majorVersion !== version) {
    return refused(
      name,
      `${data} was made by PostgreSQL ${directory.majorVersion}, and ${version} is declared`,
      `declare version: ${directory.majorVersion} below postgres; this version of Maestra does not upgrade servers`,
    )
  }
  return nothing
}

/**
 * Either a server that somebody else made, or one of ours whose settings file was lost. Which node it is, only the
 * user can say.
 */
function unmarked(cluster: string, node: NodeView, directory: DataDirectory): Draft {
  const { name, data } = node.declared
  const { majorVersion, control, configuration } = directory
  const what = `a PostgreSQL ${majorVersion} server (system ${control.systemIdentifier}, ${control.state}, timeline ${control.timeline})`
  const traces = configuration.included || configuration.hbaBlock !== undefined || configuration.passfile !== undefined
  if (traces) {
    return refused(
      name,
      `${data} holds ${what} that Maestra configured, and its ${settingsFile} is gone or does not say for which node`,
      `if it is ${name} of ${cluster}, write two lines into ${path(data, settingsFile)}: maestra.cluster = '${cluster}' and maestra.node = '${name}'`,
    )
  }
  return refused(
    name,
    `${data} is in the way: it holds ${what} that Maestra did not make`,
    `name another directory as data of ${name}; this version does not adopt servers that exist already`,
  )
}

function ofOtherCluster(cluster: string, node: NodeView, madeFor: NonNullable<DataDirectory['madeFor']>): Draft {
  const { name, data } = node.declared
  if (madeFor.node !== name) {
    return refused(
      name,
      `${data} is in the way: it was made for node ${madeFor.node} of cluster ${madeFor.cluster}`,
      `name another directory as data of ${name}`,
    )
  }
  return refused(
    name,
    `${data} was made for ${name} of cluster ${madeFor.cluster}, and this cluster is named ${cluster}`,
    `was the cluster renamed? name it cluster: ${madeFor.cluster} again; if it is another one, name another directory as data of ${name}`,
  )
}
