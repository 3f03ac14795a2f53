import { type Draft, harmless, refused, steps, unknown } from './draft.js'
import type { NodeView } from './plan-cluster.js'

/** Starts a node's server, if there is something to start it with and somewhere for it to listen. */
export function planStart(node: NodeView, why: string): Draft {
  const { name, host, port } = node.declared
  const { binaries, process } = node.observed
  if (process.kind === 'unknown') return unknown(name, `whether its server runs is unknown, because ${process.because}`)
  if (binaries.kind === 'missing') {
    return refused(
      name,
      `no PostgreSQL programs of the declared version were found in ${binaries.looked.join(', ')}`,
      'install them, or name their directory as postgres.bin in the cluster file',
    )
  }
  if (node.observed.port.kind === 'taken') {
    return refused(
      name,
      `port ${port} of ${host} is not free: ${node.observed.port.reason}`,
      `declare another port for ${name}, or see who listens: ss -ltnp 'sport = :${port}'`,
    )
  }
  return steps({ kind: 'start', node: name, why, ...harmless })
}
