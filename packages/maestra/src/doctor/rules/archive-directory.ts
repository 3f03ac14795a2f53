import { sep } from 'node:path'
import type { DeclaredNode } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { isOff } from '../../cluster/parameters.js'
import { parameterPlace, placeOf } from '../place.js'
import type { Rule, View } from '../rule.js'

/** An archive that is declared is one: apart from the data, and nothing declared beside it says otherwise. */
export const archiveDirectory: Rule = {
  name: 'archive-directory',
  why: 'An archive inside of a data directory is lost with it. A parameter that turns archiving off, or that removes archived WAL, takes away what the archive is there for.',
  check(view) {
    const { declared } = view
    const directory = declared?.archive?.directory
    if (declared === undefined || directory === undefined) return []
    return declared.nodes.flatMap((node) => [...placeFindings(view, node, directory), ...contradictions(view, node)])
  },
}

function placeFindings(view: View, node: DeclaredNode, directory: string): Finding[] {
  const shared = `${directory}/` === `${node.data}/`
  const inside = isBelow(directory, node.data)
  if (!shared && !inside && !isBelow(node.data, directory)) return []
  return [
    {
      rule: 'archive-directory',
      severity: 'error',
      message: shared
        ? `the archive is the data directory of node ${node.name}: ${directory}`
        : inside
          ? `the archive lies inside the data directory of node ${node.name}: ${directory}`
          : `the data directory of node ${node.name} lies inside the archive: ${node.data}`,
      hint: 'give the archive a directory of its own, best on another disk',
      place: placeOf(view, ['archive', 'directory']),
    },
  ]
}

/** Parameters of a node win over what `archive` says, but for these, with which it would be none. */
function contradictions(view: View, node: DeclaredNode): Finding[] {
  const { archive_mode: mode, archive_library: library = '', archive_cleanup_command: cleanup = '' } = node.parameters
  const said: (readonly [parameter: string, message: string, hint: string])[] = []
  if (mode !== undefined && isOff(mode))
    said.push(['archive_mode', '`archive_mode` is off, and `archive` is declared', 'declare one of them'])
  if (library !== '')
    said.push([
      'archive_library',
      '`archive_library` is set, and `archive` is declared: PostgreSQL takes one of the two',
      'declare one of them',
    ])
  if (cleanup !== '')
    said.push([
      'archive_cleanup_command',
      `\`archive_cleanup_command\` of ${node.name} would remove WAL from the archive that other nodes still need`,
      'leave it out; remove old WAL by the age of your base backups',
    ])
  return said.map(([parameter, message, hint]) => ({
    rule: 'archive-directory',
    severity: 'error',
    message,
    hint,
    place: parameterPlace(view, node, parameter),
  }))
}

function isBelow(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}
