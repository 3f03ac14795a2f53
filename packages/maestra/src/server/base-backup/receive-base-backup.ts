import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { MaestraError, messageOf } from '@maestra/client/base/error'
import { type Lsn, parseLsn } from '@maestra/client/postgres/lsn'
import { parseTimeline, type TimelineId } from '@maestra/client/postgres/timeline'
import type pg from 'pg'
import type { TreeWriter } from '../../host/host.js'
import { type BackupCommandOptions, backupCommand } from './backup-command.js'
import { type BackupAnswer, BackupQuery } from './backup-query.js'
import { type BackupProgress, BackupReceiver } from './backup-receiver.js'
import { watchForStall } from './stall-watch.js'

export type BaseBackupOptions = BackupCommandOptions & {
  /** A connected client in replication mode (`replication: 'true'`), used for nothing else; it is ended here. */
  readonly connect: () => Promise<pg.Client>
  /** An empty tree that becomes the data directory; it is finished here, or abandoned when the backup fails. */
  readonly tree: TreeWriter
  readonly signal?: AbortSignal | undefined
  /** Called about once a MiB, and at the end. */
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined
}

export type BaseBackupResult = {
  /** Where replay begins: a slot has to keep the log from here on until the standby has it. */
  readonly startLsn: Lsn
  /** The copy is consistent when it is replayed up to here. */
  readonly endLsn: Lsn
  /** The timeline of the start. */
  readonly timeline: TimelineId
  /** Decimal, as IDENTIFY_SYSTEM prints it. */
  readonly systemIdentifier: string
  /** Bytes of archives that arrived. */
  readonly bytes: number
  /** Files that arrived; the manifest is not counted. */
  readonly files: number
}

/** How long the server may take to close a connection that is no longer needed. */
const closeDeadlineMs = 5_000

/** So long may nothing come, in the middle of a copy, before it is given up. */
const stallMs = 120_000

/** A server host that disappears in the middle of a copy is noticed by the kernel's probes after so long a silence. */
const keepAliveAfterMs = 30_000

/**
 * Streams the data directory of a server into `tree`, as pg_basebackup does, and holds each file to the server's
 * manifest while it passes. No WAL is asked for: the caller has made a physical slot that reserves it, and the
 * standby streams from the start on. Memory grows with the number of files, not with their size. When it resolves,
 * the walsender is gone: its place is free for the standby.
 */
export async function receiveBaseBackup(options: BaseBackupOptions): Promise<BaseBackupResult> {
  const { tree, signal } = options
  const receiver = new BackupReceiver(tree, options, options.onProgress ?? (() => {}))
  try {
    signal?.throwIfAborted()
    const client = await connect(options)
    try {
      const systemIdentifier = await identifySystem(client, signal)
      const answer = await takeBackup(client, receiver, options)
      await close(client)
      receiver.verify(systemIdentifier)
      receiver.writeManifest()
      await unlessAborted(tree.finish(), signal)
      return { ...positionsOf(answer), systemIdentifier, bytes: receiver.receivedBytes, files: receiver.fileCount }
    } finally {
      destroy(client)
    }
  } catch (error) {
    await tree.abandon()
    throw asBackupError(error, receiver.receivedBytes, signal)
  }
}

/** A connection that comes only after the abort is closed when it comes. */
async function connect({ connect: open, signal }: BaseBackupOptions): Promise<pg.Client> {
  const connecting = open().then(prepared)
  try {
    return await unlessAborted(connecting, signal)
  } catch (error) {
    connecting.then(destroy, () => {})
    if (error instanceof MaestraError || signal?.aborted) throw error
    throw new MaestraError('connection-failed', `cannot connect for the base backup: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function prepared(client: pg.Client): pg.Client {
  // node-postgres emits a lost connection besides rejecting the query; without a listener that ends the process.
  client.on('error', () => {})
  socketOf(client).setKeepAlive?.(true, keepAliveAfterMs)
  return client
}

async function identifySystem(client: pg.Client, signal: AbortSignal | undefined): Promise<string> {
  const { rows } = await unlessAborted(client.query<{ systemid: string }>('IDENTIFY_SYSTEM'), signal)
  const identifier = rows[0]?.systemid
  if (identifier === undefined)
    throw new MaestraError('base-backup-failed', 'the server does not say which system it is')
  return identifier
}

async function takeBackup(
  client: pg.Client,
  receiver: BackupReceiver,
  options: BaseBackupOptions,
): Promise<BackupAnswer> {
  const query = new BackupQuery({
    command: backupCommand(options),
    onTablespaces: (rows) => receiver.streamFor(rows),
    afterData: () => receiver.whenWritable(),
    settled: () => options.tree.settled(),
  })
  client.query(query)
  const flow = { receivedBytes: () => receiver.receivedBytes, pendingBytes: () => options.tree.pendingBytes }
  const endWatch = watchForStall(flow, stallMs, (error) => query.fail(error))
  try {
    return await unlessAborted(query.answer, options.signal)
  } finally {
    endWatch()
  }
}

function positionsOf({ start, end }: BackupAnswer): Pick<BaseBackupResult, 'startLsn' | 'endLsn' | 'timeline'> {
  return { startLsn: parseLsn(start[0] ?? ''), endLsn: parseLsn(end[0] ?? ''), timeline: parseTimeline(start[1] ?? '') }
}

/**
 * The server closes its side when the walsender's process ends, so the end of the connection is the end of the
 * walsender.
 */
async function close(client: pg.Client): Promise<void> {
  const deadline = new AbortController()
  await Promise.race([client.end(), sleep(closeDeadlineMs, undefined, { signal: deadline.signal }).catch(() => {})])
  deadline.abort()
}

function destroy(client: pg.Client): void {
  socketOf(client).destroy()
}

/**
 * node-postgres has no public way to it. Behind TLS it is the encrypted socket. A stream of the caller's need not be
 * a socket.
 */
function socketOf(client: pg.Client): Pick<Socket, 'destroy'> & Partial<Pick<Socket, 'setKeepAlive'>> {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream
}

/** The promise, or the signal's reason as soon as there is one. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await promise
  return await new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

function asBackupError(error: unknown, receivedBytes: number, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof MaestraError) return error
  const { severity, hint } = error as { readonly severity?: string; readonly hint?: string }
  // Only an answer of the server has a severity.
  if (severity !== undefined) {
    return new MaestraError('base-backup-failed', `the server ended the base backup: ${messageOf(error)}`, {
      cause: error,
      hint: hint ?? 'its log says why; then: maestra apply',
    })
  }
  const mebibytes = (receivedBytes / 1024 / 1024).toFixed(1)
  return new MaestraError(
    'base-backup-failed',
    `the connection to the server was lost after ${mebibytes} MiB of the base backup: ${messageOf(error)}`,
    { cause: error, hint: 'does the server still run? maestra status; then: maestra apply' },
  )
}
