import { MaestraError } from '@maestra/client/base/error'
import { supports } from '@maestra/client/postgres/version'

export type BackupCommandOptions = {
  /** The server's major version. */
  readonly major: number
  /** Stands in backup_label and in the server's log. */
  readonly label: string
  /**
   * `fast` begins at once at the price of a burst of writes; `spread` keeps to the server's usual pace, which can
   * take minutes.
   */
  readonly checkpoint: 'fast' | 'spread'
  /** So many kB a second are sent at most. */
  readonly maxRateKb?: number | undefined
  /** Whether the server checks its pages, and the manifest has the checksum of each file. */
  readonly verify: boolean
}

/**
 * The BASE_BACKUP command of a server of that major version. Without WAL and without waiting for its archiving: the standby
 * streams it, and a slot keeps it.
 */
export function backupCommand(options: BackupCommandOptions): string {
  const { major, checkpoint, maxRateKb, verify } = options
  const label = `LABEL ${literal(options.label)}`
  const rate = maxRateKb === undefined ? [] : [`MAX_RATE ${maxRateKb}`]
  const checksums = `MANIFEST_CHECKSUMS '${verify ? 'CRC32C' : 'NONE'}'`
  if (supports(major, 'backup-options-in-parentheses')) {
    const pages = verify ? [] : ['VERIFY_CHECKSUMS false']
    const common = [label, 'PROGRESS', `CHECKPOINT '${checkpoint}'`, 'WAIT false', ...rate, ...pages]
    return `BASE_BACKUP (${[...common, `MANIFEST 'yes'`, checksums, `TARGET 'client'`].join(', ')})`
  }
  const fast = checkpoint === 'fast' ? ['FAST'] : []
  const pages = verify ? [] : ['NOVERIFY_CHECKSUMS']
  return ['BASE_BACKUP', label, 'PROGRESS', ...fast, 'NOWAIT', ...rate, ...pages, `MANIFEST 'yes'`, checksums].join(' ')
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
