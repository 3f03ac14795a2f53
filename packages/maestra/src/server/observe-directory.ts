import { dirname, join } from 'node:path'
import { messageOf } from '@maestra/client/base/error'
import { parseControlData } from '@maestra/client/postgres/control-data'
import { madeFor } from '../cluster/node-configuration.js'
import type { DirectoryObservation } from '../cluster/observation.js'
import type { Account, FileStat, Host } from '../host/host.js'
import { readNodeFiles } from './node-files.js'

/** How many names of a foreign directory are worth showing. */
const namesShown = 5

/** What a node's data directory is, read from its files; a running server is not needed. */
export async function observeDirectory(host: Host, data: string, account: Account): Promise<DirectoryObservation> {
  try {
    const closed = await host.files.firstClosedFolder(data, account)
    if (closed !== undefined) {
      return {
        kind: 'unknown',
        because: `the account ${account.name}, which its server runs as, cannot enter ${closed}`,
      }
    }
    return await look(host, data)
  } catch (error) {
    return { kind: 'unknown', because: messageOf(error) }
  }
}

async function look(host: Host, data: string): Promise<DirectoryObservation> {
  const found = await host.files.stat(data)
  if (found === undefined) return { kind: 'absent' }
  if (found.kind === 'file' || found.kind === 'other')
    return { kind: 'foreign', holds: [`a ${found.kind}, not a directory`] }
  const entries = (await host.files.list(data)) ?? []
  if (entries.length === 0) return await observeEmpty(host, data, found)
  const [version, controlBytes] = await Promise.all([
    host.files.readText(join(data, 'PG_VERSION')),
    host.files.readBytes(join(data, 'global', 'pg_control')),
  ])
  if (version === undefined || controlBytes === undefined) return { kind: 'foreign', holds: abridged(entries) }
  const control = parseControlData(controlBytes)
  const configuration = await readNodeFiles(host, data)
  const owner = await host.processes.account(found.uid)
  const fixed = await whyFixed(host, data, found)
  return {
    kind: 'data',
    majorVersion: Number.parseInt(version, 10),
    owner: owner?.name ?? String(found.uid),
    madeFor: configuration.settings === undefined ? undefined : madeFor(configuration.settings),
    control: {
      systemIdentifier: String(control.systemIdentifier),
      state: control.state,
      timeline: control.timeline,
      checkpointLsn: control.checkpointLsn,
      standbyMinimums: {
        max_connections: control.maxConnections,
        max_worker_processes: control.maxWorkerProcesses,
        max_wal_senders: control.maxWalSenders,
        max_prepared_transactions: control.maxPreparedTransactions,
        max_locks_per_transaction: control.maxLocksPerTransaction,
      },
    },
    standbySignal: entries.includes('standby.signal'),
    ...(fixed === undefined ? {} : { fixed }),
    configuration,
  }
}

/** A data directory is made beside its place and renamed: that cannot replace a link or a mount point. */
async function observeEmpty(host: Host, data: string, found: FileStat): Promise<DirectoryObservation> {
  const place = await placeOf(host, data, found)
  return place === undefined ? { kind: 'empty' } : { kind: 'unusable', because: place }
}

async function placeOf(host: Host, data: string, found: FileStat): Promise<string | undefined> {
  if (found.kind === 'link') return 'a link'
  const folder = await host.files.stat(dirname(data))
  return folder?.kind === 'directory' && folder.device !== found.device ? 'a mount point' : undefined
}

/** Why a data directory cannot be moved aside as a whole, in words that follow its path. */
async function whyFixed(host: Host, data: string, found: FileStat): Promise<string | undefined> {
  const place = await placeOf(host, data, found)
  if (place !== undefined) return `is ${place}`
  const spaces = (await host.files.list(join(data, 'pg_tblspc'))) ?? []
  const kinds = await Promise.all(spaces.map((name) => host.files.stat(join(data, 'pg_tblspc', name))))
  const outside = spaces.filter((_, index) => kinds[index]?.kind === 'link')
  return outside.length === 0 ? undefined : `has tablespaces outside of it (pg_tblspc/${outside.join(', pg_tblspc/')})`
}

function abridged(entries: readonly string[]): readonly string[] {
  return entries.length > namesShown
    ? [...entries.slice(0, namesShown), `and ${entries.length - namesShown} more`]
    : entries
}
