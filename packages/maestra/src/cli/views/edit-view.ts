import type { DeclaredCluster, DeclaredNode } from '../../cluster/declared-cluster.js'
import type { ProcessObservation } from '../../cluster/observation.js'
import { stopCommand } from '../../plan/stop-command.js'
import { counted } from './plan-view.js'

/** What `init` says when the file is there. */
export function createdView({ name, file, nodes }: DeclaredCluster, option: string | undefined): string {
  return `${file} declares cluster ${name}: a primary and ${counted(nodes.length - 1, 'replica')}\n${next(option)}`
}

/** What `add replica` says when it stands in the file. */
export function addedView(cluster: DeclaredCluster, name: string, option: string | undefined): string {
  const node = cluster.nodes.find((each) => each.name === name)
  const follows = node?.follows === undefined ? '' : `, follows ${node.follows}`
  return `${name} was added to ${cluster.file}: ${node?.host}:${node?.port}, data in ${node?.data}${follows}\n${next(option)}`
}

/** What `remove` says when it is out of the file: what stays, and what only the user can do. */
export function removedView(
  cluster: DeclaredCluster,
  removed: {
    readonly node: DeclaredNode
    /** Whom it followed. */
    readonly upstream: string
    readonly process: ProcessObservation
    /** Whether its data directory is there. */
    readonly hasData: boolean
    /** The line of a comment directly above it. */
    readonly comment: number | undefined
    readonly file: string | undefined
  },
): string {
  const { node, upstream, process, hasData, comment, file } = removed
  const server = {
    none: '',
    running: `its server still runs; stop it before the next apply${stopCommand(process)}\n`,
    unknown: `whether its server runs is unknown; stop it before the next apply\n`,
  }
  return [
    `${node.name} was taken out of ${cluster.file}\n`,
    hasData ? `its data stay in ${node.data}\n` : '',
    server[process.kind],
    comment === undefined ? '' : `the comment above it stays: ${cluster.file}:${comment}\n`,
    `the next apply drops its replication slot on ${upstream}${hasData ? '' : ', if it has one'}\n`,
    next(file),
  ].join('')
}

function next(option: string | undefined): string {
  return `Next: npx maestra plan${option === undefined ? '' : ` --file ${shellWord(option)}`}\n`
}

/** As a shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
