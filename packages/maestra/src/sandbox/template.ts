import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import { Secret } from '@maestra/client/base/secret'
import {
  newSystemIdentifier,
  walSegmentWithSystemIdentifier,
  withSystemIdentifier,
} from '@maestra/client/postgres/control-data'
import { kindOfWalFile } from '@maestra/client/postgres/wal-file'
import type { Initialise } from '../apply/step-runner.js'
import type { Account, Host } from '../host/host.js'
import { accountWithoutOwner } from '../server/account.js'
import type { Binaries } from '../server/binaries.js'
import type { ReceiveCopy } from '../server/copy-primary.js'
import { initdb } from '../server/initdb.js'
import { newPassword } from '../server/passfile.js'
import { cacheDirectory } from './cache/cache-directory.js'
import { cacheEntry } from './cache/cache-entry.js'

/** Changes whenever a template is made in another way, so that one of before is not taken. */
const templateForm = 1

/** A data directory fresh from initdb, kept in the cache: copying it is ten times as fast as making it. */
export type Template = {
  readonly directory: string
  /** The superuser's password, which is inside the data. Only the owner of the cache can read it. */
  readonly password: Secret
}

export async function template(host: Host, binaries: Binaries): Promise<Template> {
  const key = createHash('sha256')
    .update(JSON.stringify([templateForm, binaries.version.text, binaries.directory]))
    .digest('hex')
    .slice(0, 12)
  const name = `postgresql-${binaries.version.text}-${key}`
  const directory = await cacheEntry(host, join(await cacheDirectory(host), 'templates', name), (aside) =>
    buildTemplate(host, binaries, aside),
  )
  const password = await host.files.readText(join(directory, 'password'))
  if (password === undefined) {
    throw new MaestraError('damaged-file', `${directory} holds no password`, {
      hint: `remove it, it is made again: rm -r ${directory}`,
    })
  }
  return { directory, password: new Secret(password.trim()) }
}

async function buildTemplate(host: Host, binaries: Binaries, aside: string): Promise<void> {
  const account = await accountWithoutOwner(host)
  const scratch = join(aside, 'scratch')
  const directory = join(aside, 'data')
  const password = newPassword()
  await host.files.makeDirectory(scratch, { mode: 0o700, owner: account })
  await host.files.makeDirectory(directory, { mode: 0o700, owner: account })
  await initdb(host, { binaries, account, directory, scratch, password })
  await host.files.removeTree(scratch)
  await host.files.write(join(aside, 'password'), `${password.reveal()}\n`, { mode: 0o600 })
}

/**
 * Makes a primary's data from the template instead of by initdb. Each copy gets a system identifier of its own, as initdb
 * would give it: else two sandboxes would look like one system to everything that tells servers apart.
 */
export function initialiseFrom(from: Template): Initialise {
  return async ({ site: { host }, directory, account }) => {
    await copyData(host, from, directory, account)
    await giveSystemIdentifier(host, directory, newIdentifier())
  }
}

/**
 * Makes a replica's data from the template too, while its primary is as young as that: both begin at the same position, and
 * the primary still has all WAL since. It is what a copy of a primary's files would be that was shut down in order.
 */
export function receiveFrom(host: Host, from: Template): ReceiveCopy {
  return async ({ directory, account, systemIdentifier }) => {
    await copyData(host, from, directory, account)
    await giveSystemIdentifier(host, directory, BigInt(systemIdentifier))
  }
}

/**
 * By the system's cp under the account of the server, whose the template's files are too: in half the time that it takes to
 * copy a thousand files from here and to give each to its owner.
 */
async function copyData(host: Host, from: Template, directory: string, account: Account): Promise<void> {
  const data = join(from.directory, 'data')
  const copied = await host.processes.run('cp', ['-Rp', `${data}/.`, directory], { account }).catch(() => undefined)
  if (copied?.exitCode === 0) return
  for (const name of (await host.files.list(directory)) ?? []) await host.files.removeTree(join(directory, name))
  await host.files.copyTree(data, directory, { owner: account })
}

async function giveSystemIdentifier(host: Host, directory: string, id: bigint): Promise<void> {
  const control = join(directory, 'global', 'pg_control')
  await host.files.patch(control, 0, withSystemIdentifier(await required(host, control), id))
  for (const name of (await host.files.list(join(directory, 'pg_wal'))) ?? []) {
    if (kindOfWalFile(name) !== 'segment') continue
    const segment = join(directory, 'pg_wal', name)
    const page = await required(host, segment, firstPageBytes)
    await host.files.patch(segment, 0, walSegmentWithSystemIdentifier(page, id))
  }
}

/** Only the header of a segment's first page names the system. */
const firstPageBytes = 512

let identifiers = 0

/** As initdb makes it, and different for each of a thousand copies in the same millisecond. */
function newIdentifier(): bigint {
  identifiers += 1
  return newSystemIdentifier(new Date(), process.pid, identifiers % 1000)
}

async function required(host: Host, path: string, mostBytes?: number): Promise<Buffer> {
  const bytes = await host.files.readBytes(path, mostBytes)
  if (bytes !== undefined) return bytes
  throw new MaestraError('damaged-file', `${path} is missing from the template`)
}
