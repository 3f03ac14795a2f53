import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import { formatConninfo } from '@maestra/client/postgres/conninfo'
import type { DeclaredBaseBackup } from '../../cluster/declared-cluster.js'
import { passfileLines } from '../../cluster/node-configuration.js'
import type { Account, Host, RunResult } from '../../host/host.js'
import type { Login } from '../connection.js'
import { bytesBelow, whileGrowing } from './while-growing.js'

export type PgBasebackupOptions = {
  /** The directory of the server's programs, where pg_basebackup and pg_verifybackup have to be as well. */
  readonly programs: string
  readonly account: Account
  readonly label: string
  /** A login of the replication role. */
  readonly primary: Login
  readonly baseBackup: DeclaredBaseBackup
  /** An empty directory of the account that becomes the data directory. */
  readonly directory: string
  /** A directory of the account where the password may stand for as long as the program runs. */
  readonly scratch: string
  readonly sync: boolean
  readonly signal?: AbortSignal | undefined
  /** So long may nothing come, in ms; 120 s unless told otherwise. */
  readonly stallMs?: number | undefined
}

/** So long may nothing come in the middle of a copy, as with a copy of Maestra's own. */
const defaultStallMs = 120_000

/** How much longer a fast checkpoint may take, before the first byte. */
const checkpointStalls = 5

/** How much pg_verifybackup reads at the very least, in bytes a ms: on a disk that is next to dead. */
const leastVerified = 1000

/** How long it may try to connect, in seconds. */
const connectSeconds = 30

/**
 * A copy of the primary's data by PostgreSQL's own program, for those who ask for it. It takes one WAL sender, and its manifest
 * is compared with the files by pg_verifybackup, which here looks at the fetched WAL as well. A program that gets nowhere is ended.
 */
export async function pgBasebackup(host: Host, options: PgBasebackupOptions): Promise<void> {
  const { baseBackup, directory, scratch, account, primary, signal, stallMs = defaultStallMs } = options
  const basebackup = await programOf(host, options, 'pg_basebackup')
  const verifybackup = baseBackup.verify ? await programOf(host, options, 'pg_verifybackup') : undefined
  const passfile = join(scratch, 'pgpass')
  if (primary.password !== undefined) {
    const lines = passfileLines([primary], primary.user, primary.password)
    await host.files.write(passfile, lines, { mode: 0o600, owner: account })
  }
  const run = async (program: string, args: readonly string[], ends: AbortSignal): Promise<void> => {
    const result = await host.processes.run(program, args, { account, signal: ends, env: { PGPASSFILE: passfile } })
    if (result.exitCode !== 0) throw failed(program, result)
  }
  const emptyMs = baseBackup.checkpoint === 'spread' ? undefined : checkpointStalls * stallMs
  const awaited = `more of the base backup by ${basebackup}`
  await whileGrowing(host.files, { directory, awaited, stallMs, emptyMs, signal }, (ends) =>
    run(basebackup, basebackupArguments(options), ends),
  )
  // Not by the program: while it syncs nothing grows.
  if (options.sync) await host.files.syncTree(directory)
  await host.files.removeFile(passfile)
  if (verifybackup === undefined) return
  const limitMs = Math.round(stallMs + (await bytesBelow(host.files, directory)) / leastVerified)
  await withinLimit({ limitMs, awaited: `${verifybackup} to end`, directory, signal }, (ends) =>
    run(verifybackup, ['--exit-on-error', directory], ends),
  )
}

/** It reads what is there, and shows nothing of how far it is. */
async function withinLimit(
  limit: {
    readonly limitMs: number
    readonly awaited: string
    readonly directory: string
    readonly signal?: AbortSignal | undefined
  },
  run: (ends: AbortSignal) => Promise<void>,
): Promise<void> {
  const late = new AbortController()
  const error = new MaestraError(
    'deadline-passed',
    `waited ${limit.limitMs} ms for ${limit.awaited}; last seen: it still reads ${limit.directory}`,
    { hint: 'does the disk hang? then: maestra apply' },
  )
  const timer = setTimeout(() => late.abort(error), limit.limitMs)
  try {
    await run(AbortSignal.any([late.signal, ...(limit.signal === undefined ? [] : [limit.signal])]))
  } finally {
    clearTimeout(timer)
  }
}

/**
 * WAL is fetched with the data: without WAL, the program waits at the end until the server has archived it, for ever where its
 * archive_command fails; streamed, it takes a second WAL sender.
 */
function basebackupArguments({ baseBackup, directory, label, primary }: PgBasebackupOptions): readonly string[] {
  const { checkpoint, maxRateKb, verify } = baseBackup
  const { host, port, user } = primary
  return [
    `--dbname=${formatConninfo({ host, port: String(port), user, application_name: 'maestra', connect_timeout: String(connectSeconds) })}`,
    '--no-password',
    `--pgdata=${directory}`,
    '--format=plain',
    '--wal-method=fetch',
    `--checkpoint=${checkpoint}`,
    `--label=${label}`,
    ...(maxRateKb === undefined ? [] : [`--max-rate=${maxRateKb}k`]),
    ...(verify ? ['--manifest-checksums=CRC32C'] : ['--manifest-checksums=NONE', '--no-verify-checksums']),
    '--no-sync',
  ]
}

async function programOf(host: Host, { programs }: PgBasebackupOptions, name: string): Promise<string> {
  const path = join(programs, name)
  if ((await host.files.stat(path)) !== undefined) return path
  throw new MaestraError('no-binaries', `base_backup asks for ${name}, and ${programs} has none`, {
    hint:
      name === 'pg_basebackup'
        ? 'install the client programs of that version, or leave `with` of `base_backup` out: Maestra copies without it'
        : 'install the client programs of that version, or declare `verify: false` for `base_backup`',
  })
}

/** What it says at the end; the lines before tell how far it came. */
function failed(program: string, { exitCode, stderr }: RunResult): MaestraError {
  const lines = stderr.trim().split('\n')
  const telling = lines.filter((line) => /\b(error|FATAL|could not|invalid|mismatch)\b/.test(line))
  const words = (telling.length > 0 ? telling : lines).slice(-2).join('; ')
  return new MaestraError(
    'base-backup-failed',
    `${program} ended with ${exitCode}: ${words === '' ? 'it said nothing' : words}`,
  )
}
