import { MaestraError } from '@maestra/client/base/error'
import { supports } from '@maestra/client/postgres/version'

/**
 * The BASE_BACKUP command of a server of that major version. Without WAL and without waiting for its archiving: the standby
 * streams it, and a slot keeps it.
 */
export function backupCommand(options: {
  readonly major: number
  readonly label: string
  readonly checkpoint: 'fast' | 'spread'
}): string {
  const { major, checkpoint } = options
  const label = literal(options.label)
  if (supports(major, 'backup-options-in-parentheses')) {
    return `BASE_BACKUP (LABEL ${label}, PROGRESS, CHECKPOINT '${checkpoint}', WAIT false, MANIFEST 'yes', MANIFEST_CHECKSUMS 'CRC32C', TARGET 'client')`
  }
  const fast = checkpoint === 'fast' ? ' FAST' : ''
  return `BASE_BACKUP LABEL ${label} PROGRESS${fast} NOWAIT MANIFEST 'yes' MANIFEST_CHECKSUMS 'CRC32C'`
}

/** A replication command has no escapes but the doubled quote. The label becomes a line of the file backup_label. */
function literal(label: string): string {
  if (/\p{Cc}/u.test(label))
    throw new MaestraError(
      'bad-value',
      `the label of a base backup cannot hold control characters: ${JSON.stringify(label)}`,
    )
  return `'${label.replaceAll("'", "''")}'`
}
