import { archiveCommand, restoreCommand } from './archive-commands.js'
import type { DeclaredCluster, DeclaredNode } from './declared-cluster.js'

/**
 * What `archive` of the cluster file says to every node, as each may one day be the primary. No standby cleans the
 * archive up: it cannot know what others need.
 */
export function archiveSettings({ archive }: DeclaredCluster): Readonly<Record<string, string>> {
  return archive === undefined ? {} : { archive_mode: 'on', archive_command: archiveCommand(archive.directory) }
}

/** By which a standby takes from the archive what its primary does not have any more. */
export function restoreSettings({ archive }: DeclaredCluster): Readonly<Record<string, string>> {
  return archive === undefined ? {} : { restore_command: restoreCommand(archive.directory) }
}

/** The node with the parameters that follow from `archive` below its own, which win. */
export function withArchiveSettings(cluster: DeclaredCluster, node: DeclaredNode): DeclaredNode {
  return { ...node, parameters: { ...archiveSettings(cluster), ...node.parameters } }
}
