import type { ArchiveObservation } from '../cluster/observation.js'
import type { ClusterView } from './cluster-view.js'
import { type Draft, harmless, join, nothing, refused, steps, stops, unknown } from './draft.js'

/** The directory that WAL is archived into, there before a server starts that would archive. */
export function planArchive(view: ClusterView): Draft {
  const directory = view.cluster.archive?.directory
  if (directory === undefined || view.archive === undefined) return nothing
  const node = view.primary.declared.name
  const { archive } = view
  if (archive.kind === 'unknown')
    return unknown(node, `what the archive ${directory} holds is unknown, because ${archive.because}`)
  if (archive.kind === 'in-the-way') {
    return refused(
      node,
      `the archive ${directory} is ${archive.because}`,
      `name another directory as archive, or move this aside: mv ${directory} ${directory}.aside`,
    )
  }
  const wrong = join([checkPlace(directory, node, archive), checkSystem(view, directory, archive)])
  if (stops(wrong)) return wrong
  if (archive.kind === 'directory') return nothing
  return steps({
    kind: 'create-archive',
    node,
    directory,
    why: `${directory} is not there, and WAL is to be archived into it`,
    ...harmless,
  })
}

type Placed = Exclude<ArchiveObservation, { kind: 'unknown' | 'in-the-way' }>

function checkPlace(directory: string, node: string, archive: Placed): Draft {
  const { account, inDataOf, closedFolder } = archive
  if (inDataOf !== undefined) {
    return refused(
      node,
      `the archive ${directory} leads into the data directory of ${inDataOf}`,
      'give the archive a directory of its own, best on another disk',
    )
  }
  const cannot = `the account ${account}, which its server runs as, cannot`
  if (closedFolder !== undefined) {
    return refused(node, `${cannot} enter ${closedFolder}, on the way to the archive`, `namei -l ${directory}`)
  }
  if (archive.kind === 'absent' || archive.writable) return nothing
  return refused(node, `${cannot} write into the archive ${directory}`, `chown ${account} ${directory}`)
}

/** WAL of two systems has the same names: the second one could archive nothing, and a standby would restore the wrong one. */
function checkSystem(view: ClusterView, directory: string, archive: Placed): Draft {
  const { declared, observed } = view.primary
  // Where its directory is another's, that is said.
  if (!['data', 'absent', 'empty'].includes(observed.directory.kind)) return nothing
  const own = observed.directory.kind === 'data' ? observed.directory.control.systemIdentifier : undefined
  const foreign = archive.kind === 'directory' ? archive.wal.find((each) => each.systemIdentifier !== own) : undefined
  if (foreign === undefined) return nothing
  const is = own === undefined ? 'and a new primary starts another one' : `and the primary is of system ${own}`
  return refused(
    declared.name,
    `the archive ${directory} holds WAL of system ${foreign.systemIdentifier} (${foreign.name}), ${is}`,
    'name another directory as archive; this one is not touched',
  )
}
