import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { Secret } from '@maestra/client/base/secret'
import { settingsOf, withoutSettings } from '@maestra/client/postgres/conf'
import { parseControlData } from '@maestra/client/postgres/control-data'
import { type Lsn, parseLsn } from '@maestra/client/postgres/lsn'
import { parseTimeline, type TimelineId } from '@maestra/client/postgres/timeline'
import type { DeclaredBaseBackup } from '../cluster/declared-cluster.js'
import { autoConfFile, type NodeConfiguration } from '../cluster/node-configuration.js'
import { tablespacesText } from '../cluster/tablespace.js'
import type { Account, Host } from '../host/host.js'
import { pgBasebackup } from './base-backup/pg-basebackup.js'
import { receiveBaseBackup } from './base-backup/receive-base-backup.js'
import type { Binaries } from './binaries.js'
import { removeTrials } from './configuration-trial.js'
import { connect, type Login, withConnection } from './connection.js'
import { bringIn } from './incoming.js'
import { writeNodeFiles } from './node-files.js'
import { dropPhysicalSlot, keepsWalFrom, slotWalKeepSize } from './replication-slot.js'
import { forgetSettingsBefore } from './settings-before.js'
import { tablespacesOf } from './tablespaces.js'

/** The primary is of this system, and the files of the copy are to belong to the account. */
export type ReceiveCopy = (options: {
  readonly directory: string
  readonly account: Account
  readonly systemIdentifier: string
}) => Promise<void>

export type CopyPrimaryOptions = {
  readonly node: string
  readonly data: string
  readonly account: Account
  /** Those of the server that will run on the copy. */
  readonly binaries: Binaries
  /** A login of the replication role on the server that is copied: the primary, or a standby of it. */
  readonly primary: Login
  /** A login there that may see its replication connections. */
  readonly superuser: Login
  readonly copies: 'primary' | 'standby'
  readonly systemIdentifier: string
  /** The slot of the node, which was made before, and a login where it is: on the node that is to be followed. */
  readonly slot: string
  readonly slotKeeper: Login
  readonly configuration: NodeConfiguration
  readonly passfile: Secret | undefined
  readonly baseBackup: DeclaredBaseBackup
  /** Whether the copy is made durable before it gets its name. */
  readonly sync: boolean
  /** Fills the directory with a copy of the primary's data; by a base backup unless told otherwise. */
  readonly receive?: ReceiveCopy | undefined
  readonly onProgress?: (progress: { readonly receivedBytes: number; readonly totalBytes: number | undefined }) => void
  readonly signal?: AbortSignal | undefined
}

/** Makes the data directory of a standby from the primary: copied, verified, configured to follow it, then named. */
export async function copyPrimary(host: Host, options: CopyPrimaryOptions): Promise<void> {
  const { data, account, configuration, passfile } = options
  await checkSystem(options)
  await refuseTablespaces(options)
  // What is received is synced as it comes, and what is written after it by each write.
  await bringIn(host, { data, account, sync: false }, async (directory, scratch) => {
    const receive: ReceiveCopy = options.receive ?? (() => receiveBackup(host, options, directory, scratch))
    await receive({ directory, account, systemIdentifier: options.systemIdentifier })
    // They are those of the server that is copied: its identity is none for this node.
    await forgetSettingsBefore(host, directory)
    await removeTrials(host, directory)
    await leaveOutOwnSettings(host, options, directory)
    await writeNodeFiles(host, directory, account, configuration, passfile)
    await host.files.write(join(directory, 'standby.signal'), '', { mode: 0o600, owner: account })
  })
}

/** The server that answers must be the one that was planned for, whatever took its address meanwhile. */
async function checkSystem(options: CopyPrimaryOptions): Promise<void> {
  const { superuser, systemIdentifier, copies } = options
  const found = await withConnection(superuser, async (client) => {
    const result = await client.query<{ id: string; standby: boolean }>(
      'select system_identifier::text as id, pg_is_in_recovery() as standby from pg_control_system()',
    )
    return result.rows[0]
  })
  if (found?.id !== systemIdentifier || found.standby !== (copies === 'standby')) {
    throw wrongSystem(options, `${found?.standby ? 'a standby' : 'the primary'} of system ${found?.id}`)
  }
}

/** Before anything is written, whoever copies: pg_basebackup would fill them where the primary has them. */
async function refuseTablespaces({ superuser, receive }: CopyPrimaryOptions): Promise<void> {
  if (receive !== undefined) return
  const tablespaces = await tablespacesOf(superuser)
  if (tablespaces.length === 0) return
  throw new MaestraError('base-backup-failed', `${superuser.node} ${tablespacesText(tablespaces)}`, {
    hint: 'maestra plan says what to do with them',
  })
}

/**
 * What ALTER SYSTEM set on the primary comes along with the copy and wins over every other file. Not so for what is declared
 * for this node: its port, its addresses, whom it follows.
 */
async function leaveOutOwnSettings(host: Host, options: CopyPrimaryOptions, directory: string): Promise<void> {
  const path = join(directory, autoConfFile)
  const before = (await host.files.readBytes(path))?.toString('latin1')
  if (before === undefined) return
  const after = withoutSettings(before, Object.keys(settingsOf(options.configuration.settings)))
  if (after === before) return
  await host.files.write(path, Buffer.from(after, 'latin1'), { mode: 0o600, owner: options.account })
}

async function receiveBackup(
  host: Host,
  options: CopyPrimaryOptions,
  directory: string,
  scratch: string,
): Promise<void> {
  await backUp(host, options, directory, scratch)
  await refuseWithoutWal(options, await backupStart(host, directory))
}

/** Where the replay of a copy begins, by its backup_label. */
async function backupStart(
  host: Host,
  directory: string,
): Promise<{ readonly lsn: Lsn; readonly timeline: TimelineId }> {
  const label = await host.files.readText(join(directory, 'backup_label'))
  const lsn = /^START WAL LOCATION: (\S+)/m.exec(label ?? '')?.[1]
  const timeline = /^START TIMELINE: (\d+)/m.exec(label ?? '')?.[1]
  if (lsn !== undefined && timeline !== undefined) return { lsn: parseLsn(lsn), timeline: parseTimeline(timeline) }
  throw new MaestraError(
    'base-backup-failed',
    `the copy in ${directory} has no backup_label that says where it begins`,
    {
      hint: 'maestra apply makes another one',
    },
  )
}

/** A copy whose WAL is gone would start, and wait for ever for what nobody can send. Such a slot keeps nothing that is of use. */
async function refuseWithoutWal(
  { node, slot, slotKeeper }: CopyPrimaryOptions,
  start: { readonly lsn: Lsn; readonly timeline: TimelineId },
): Promise<void> {
  if (await keepsWalFrom(slotKeeper, slot, start)) return
  const limit = await slotWalKeepSize(slotKeeper)
  await dropPhysicalSlot(slotKeeper, { slot, standby: node })
  throw new MaestraError(
    'base-backup-failed',
    `while ${node} was copied, ${slotKeeper.node} wrote more WAL than the slot ${slot} may keep (max_slot_wal_keep_size is ${limit}): without it the copy is of no use`,
    { hint: 'declare more as max_slot_wal_keep_size, or a higher max_rate of base_backup; then: maestra apply' },
  )
}

async function backUp(host: Host, options: CopyPrimaryOptions, directory: string, scratch: string): Promise<void> {
  const { account, baseBackup, binaries, node, primary, sync, onProgress, signal, systemIdentifier } = options
  const label = `maestra ${node}`
  if (baseBackup.with === 'pg_basebackup') {
    const programs = binaries.directory
    await pgBasebackup(host, { programs, account, label, primary, baseBackup, directory, scratch, sync, signal })
    const found = await copiedSystem(host, directory)
    if (found !== systemIdentifier) throw wrongSystem(options, `of system ${found}`)
    return
  }
  const received = await receiveBaseBackup({
    connect: () => connect({ ...primary, replication: true }),
    major: binaries.version.major,
    label,
    checkpoint: baseBackup.checkpoint,
    maxRateKb: baseBackup.maxRateKb,
    verify: baseBackup.verify,
    tree: host.files.fillTree(directory, { owner: account, sync }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  if (received.systemIdentifier !== systemIdentifier)
    throw wrongSystem(options, `of system ${received.systemIdentifier}`)
}

async function copiedSystem(host: Host, directory: string): Promise<string> {
  const bytes = await host.files.readBytes(join(directory, 'global', 'pg_control'))
  return bytes === undefined ? 'unknown' : String(parseControlData(bytes).systemIdentifier)
}

function wrongSystem({ primary, systemIdentifier, copies }: CopyPrimaryOptions, found: string): MaestraError {
  return new MaestraError(
    'wrong-system',
    `${primary.node} (${primary.host}:${primary.port}) is ${found}, and ${copies === 'standby' ? 'a standby' : 'the primary'} of system ${systemIdentifier} was to be copied`,
  )
}
