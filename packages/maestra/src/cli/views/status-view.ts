import { bytesText, timeText } from '../../cluster/amount-text.js'
import type { ClusterStatus, NodeStatus } from '../../cluster/cluster-status.js'
import type { Terminal } from '../terminal.js'
import { table } from './table.js'

/** One table; a node that cannot be asked is a row with its reason. Whom a standby follows is told where not all follow one node. */
export function statusView(status: ClusterStatus, to: Terminal): string {
  const isCascade = new Set(status.nodes.filter(({ role }) => role === 'standby').map((each) => each.follows)).size > 1
  const follows = isCascade ? ['FOLLOWS'] : []
  const header = ['NODE', 'ROLE', 'STATE', 'ADDRESS', 'VERSION', 'TL', 'LSN', 'LAG', ...follows, 'SYNC', 'SLOT']
  const rows = status.nodes.map((node) => row(node, isCascade, to))
  const notes = [...clusterNotes(status), ...status.nodes.flatMap(notesOn)].map((note) => `${note}\n`)
  const title = `cluster ${status.cluster}, primary ${status.primary ?? 'none'}\n\n`
  return title + table([header, ...rows]) + (notes.length > 0 ? `\n${notes.join('')}` : '')
}

function row(node: NodeStatus, isCascade: boolean, to: Terminal): readonly string[] {
  return [
    node.name,
    node.role,
    to.colour(colourOf(node), node.state),
    `${node.host}:${node.port}`,
    node.version ?? '-',
    node.timeline === null ? '-' : String(node.timeline),
    node.lsn ?? '-',
    lagText(node),
    ...(isCascade ? [node.follows ?? '-'] : []),
    node.sync ?? '-',
    node.slot ?? '-',
  ]
}

/** A standby that only runs does not follow anybody. */
function colourOf({ state, role }: NodeStatus): 'green' | 'yellow' | 'red' {
  if (state === 'running' && role === 'standby') return 'yellow'
  if (state === 'running' || state === 'streaming' || state === 'delayed') return 'green'
  return state === 'catchup' || state === 'starting' || state === 'paused' ? 'yellow' : 'red'
}

function lagText({ lagBytes, lagMs }: NodeStatus): string {
  if (lagBytes === null) return '-'
  if (lagBytes === 0) return '0'
  return `${bytesText(lagBytes)}${lagMs === null ? '' : `, ${timeText(lagMs)}`}`
}

function clusterNotes({ nodes }: ClusterStatus): readonly string[] {
  const primaries = nodes.filter((node) => node.role === 'primary' && node.state === 'running').map(({ name }) => name)
  return primaries.length > 1 ? [`${primaries.join(' and ')} all run as primaries: their data drift apart`] : []
}

/** Each note is `<node>: <a sentence about it>`. */
function notesOn(node: NodeStatus): readonly string[] {
  const notes: string[] = []
  if (node.unknown !== null) notes.push(node.unknown)
  if (node.role === 'standby' && node.state === 'running') notes.push('it runs and does not stream')
  if (node.pendingRestart.length > 0) {
    notes.push(`changed settings wait for a restart: ${node.pendingRestart.join(', ')}`)
  }
  if (node.failedArchiving !== null) {
    const { file, times } = node.failedArchiving
    const failures = times === 1 ? '1 failure' : `${times} failures`
    notes.push(`it cannot archive ${file} (${failures} so far), and keeps all WAL since; its log says why`)
  }
  return notes.map((note) => `${node.name}: ${note}`)
}
