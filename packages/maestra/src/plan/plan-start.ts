import type { DataDirectory } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, harmless, join, nothing, refused, steps, stops, unknown } from './draft.js'

/** Starts a node's server, if there is something to start it with and somewhere for it to listen. */
export function planStart(view: ClusterView, node: NodeView, why: string): Draft {
  const wrong = join([checkAbsence(node), checkPrograms(view, node), checkPort(node)])
  return stops(wrong) ? wrong : steps({ kind: 'start', node: node.declared.name, why, ...harmless })
}

function checkAbsence(node: NodeView): Draft {
  const { name, data } = node.declared
  const { process } = node.observed
  switch (process.kind) {
    case 'none':
      return nothing
    case 'unknown':
      return unknown(name, `whether its server runs is unknown, because ${process.because}`)
    case 'running':
      return unknown(
        name,
        `process ${process.pid} works in ${data}, which does not hold the data of a running server`,
        'look again: maestra plan',
      )
  }
}

function checkPrograms(view: ClusterView, node: NodeView): Draft {
  const { binaries } = node.observed
  if (binaries.kind === 'found') return nothing
  const looked = binaries.looked.length === 0 ? 'nowhere was looked' : `looked in ${binaries.looked.join(', ')}`
  return refused(
    node.declared.name,
    `no programs of PostgreSQL ${view.cluster.postgres.version} were found; ${looked}`,
    `install them, or name their directory as bin below postgres in ${view.cluster.file}`,
  )
}

function checkPort(node: NodeView): Draft {
  const { name, host, port } = node.declared
  const seen = node.observed.port
  if (seen.kind !== 'taken') return nothing
  return refused(
    name,
    `its server cannot listen on port ${port} of ${host}: ${seen.reason}`,
    `declare another port for ${name}, or see who listens: ss -ltnp 'sport = :${port}'`,
  )
}

/** A server that was stopped in order says so in its control file. */
export function whyNotRunning({ control }: DataDirectory): string {
  return control.state.startsWith('shut down')
    ? 'it is stopped'
    : `it does not run and was not shut down (${control.state}); its start recovers it`
}
