import type { Finding } from '../cluster/finding.js'
import type { ClusterView } from './cluster-view.js'
import { psqlCommand } from './psql-command.js'

/** A primary that cannot archive says so in its log alone, and keeps all WAL from there on, until its disk is full. */
export function archiverFindings({ primary: { declared, observed } }: ClusterView): readonly Finding[] {
  const failed = observed.server.kind === 'up' ? observed.server.failedArchiving : undefined
  if (failed === undefined) return []
  return [
    {
      rule: 'archiving-fails',
      severity: 'warning',
      message: `${declared.name} cannot archive ${failed.file} (${failed.times} failure${failed.times === 1 ? '' : 's'} so far), and keeps all WAL since; it can fill the disk`,
      hint: `the log of ${declared.name} says why; how it goes: ${psqlCommand(declared, 'select * from pg_stat_archiver')}`,
      place: undefined,
    },
  ]
}
