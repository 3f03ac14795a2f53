import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { Account, Host } from '../host/host.js'
import { isMarked, removeMarked } from '../host/marked-directory.js'

/** Tells a directory that an interrupted step left from one that somebody else made. */
const markerFile = 'maestra-incoming'
const markerText =
  'Maestra fills this directory and renames it when it is complete. Left by a killed run, it is removed by the next one.\n'

/**
 * Makes a node's data directory in one piece: it is filled beside its place and renamed when `fill` has ended. Killed at
 * any moment, what is there is either nothing or whole. An empty directory in its place is replaced, anything else is not.
 */
export async function bringIn(
  host: Host,
  options: { readonly data: string; readonly account: Account; readonly sync: boolean },
  fill: (directory: string, scratch: string) => Promise<void>,
): Promise<void> {
  const { data, account, sync } = options
  await inScratch(host, { data, account }, async (scratch) => {
    // A name of its own: an initdb of a killed run that still works, or cleans up, must not find this one by its path.
    const directory = join(scratch, `data-${randomBytes(4).toString('hex')}`)
    await host.files.makeDirectory(directory, { mode: 0o700, owner: account })
    await fill(directory, scratch)
    if (sync) await host.files.syncTree(directory)
    await refuseUnlessFree(host, data)
    await host.files.rename(directory, data)
  })
}

/** A directory of the account's beside the place of a data directory, for as long as the work lasts. */
export async function inScratch<T>(
  host: Host,
  { data, account }: { readonly data: string; readonly account: Account },
  work: (scratch: string) => Promise<T>,
): Promise<T> {
  const scratch = await makeScratch(host, data, account)
  try {
    return await work(scratch)
  } finally {
    await removeLeftover(host, data)
  }
}

async function makeScratch(host: Host, data: string, account: Account): Promise<string> {
  const scratch = scratchOf(data)
  await removeLeftover(host, data)
  await host.files.makeDirectory(scratch, { mode: 0o700, owner: account })
  await host.files.write(join(scratch, markerFile), markerText, { mode: 0o600, owner: account })
  return scratch
}

function scratchOf(data: string): string {
  return `${data}.maestra-incoming`
}

/** Removes what a killed run left beside a data directory; something else there is an error. */
export async function removeLeftover(host: Host, data: string): Promise<void> {
  const scratch = scratchOf(data)
  const entries = await host.files.list(scratch)
  if (entries === undefined) return
  if (!isMarked(entries, markerFile)) {
    throw new MaestraError(
      'directory-in-the-way',
      `${scratch} is in the way: it holds ${entries.slice(0, 5).join(', ')} and is not Maestra’s`,
      {
        hint: `move it aside: mv ${scratch} ${scratch}.aside`,
      },
    )
  }
  await removeMarked(host, scratch, markerFile)
}

async function refuseUnlessFree(host: Host, data: string): Promise<void> {
  const entries = await host.files.list(data)
  if (entries === undefined || entries.length === 0) return
  throw new MaestraError(
    'directory-in-the-way',
    `${data} is in the way: meanwhile it holds ${entries.slice(0, 5).join(', ')}`,
  )
}
