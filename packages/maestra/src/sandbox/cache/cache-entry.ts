import { dirname, join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { Host } from '../../host/host.js'
import { cacheDirectory } from './cache-directory.js'
import { makeSpreadFolder } from './spread-folder.js'
import { removeUnfinished, unfinishedPath } from './unfinished.js'

/** Stands in a directory of the cache that is complete, and says what belongs into it. */
const markerFile = 'maestra-cache'
let builds = 0

/**
 * A directory of the cache that is built once: beside its place, and renamed when complete, so that two at once do not
 * meet and a killed build is never taken for a whole one. Returns its path.
 */
export async function cacheEntry(
  host: Host,
  directory: string,
  build: (aside: string) => Promise<void>,
): Promise<string> {
  if (await isBuilt(host, directory)) return directory
  const aside = asideOf(directory)
  await makeSpreadFolder(host, dirname(directory))
  await removeUnfinished(host, dirname(directory))
  await refuseUnlessFree(host, directory)
  try {
    await host.files.makeDirectory(aside, { mode: 0o711 })
    await build(aside)
    const inventory: Inventory = { files: await sizesBelow(host, aside) }
    await host.files.write(join(aside, markerFile), JSON.stringify(inventory), { mode: 0o644 })
    await host.files.rename(aside, directory)
  } catch (error) {
    // Another process may have been faster, and what it built is as good.
    if (!(await isBuilt(host, directory))) throw error
  } finally {
    await host.files.removeTree(aside)
  }
  return directory
}

function asideOf(directory: string): string {
  builds += 1
  return unfinishedPath(directory, builds)
}

async function isBuilt(host: Host, directory: string): Promise<boolean> {
  return (await host.files.stat(join(directory, markerFile))) !== undefined
}

/** Before the work: something that nobody can say whose it is, as after a cleaner of old files went over the cache. */
async function refuseUnlessFree(host: Host, directory: string): Promise<void> {
  const entries = (await host.files.list(directory)) ?? []
  if (entries.length === 0 || entries.includes(markerFile)) return
  throw new MaestraError(
    'directory-in-the-way',
    `${directory} is in the way: it holds ${entries.slice(0, 5).join(', ')} and not the mark of a complete one`,
    { hint: `remove it, it is made again: rm -r ${directory}` },
  )
}

type Inventory = { readonly files: Readonly<Record<string, number>> }

/** The size of every file below a directory, by its path in it. */
async function sizesBelow(host: Host, directory: string, path = ''): Promise<Readonly<Record<string, number>>> {
  const sizes: Record<string, number> = {}
  for (const name of (await host.files.list(join(directory, path))) ?? []) {
    const below = join(path, name)
    const stat = await host.files.stat(join(directory, below))
    if (stat?.kind === 'file') sizes[below] = stat.size
    if (stat?.kind === 'directory') Object.assign(sizes, await sizesBelow(host, directory, below))
  }
  return sizes
}

/**
 * Removes what the cache has and what is not whole any more, as after a cleaner of old files went over it: the next one who
 * needs it builds it again. Whether anything was removed.
 */
export async function repairCache(host: Host): Promise<boolean> {
  const cache = await cacheDirectory(host)
  let repaired = false
  for (const kind of ['binaries', 'templates']) {
    for (const name of (await host.files.list(join(cache, kind))) ?? []) {
      const directory = join(cache, kind, name)
      if (!(await isDamaged(host, directory))) continue
      // Out of the way first, so that nobody takes a part of it.
      const aside = asideOf(directory)
      await host.files.rename(directory, aside)
      await host.files.removeTree(aside)
      repaired = true
    }
  }
  return repaired
}

/** One without a mark was never complete, or is not ours: it is left to whoever builds there. */
async function isDamaged(host: Host, directory: string): Promise<boolean> {
  const text = await host.files.readText(join(directory, markerFile)).catch(() => undefined)
  if (text === undefined) return false
  const expected = filesIn(text)
  if (expected === undefined) return true
  const found = await sizesBelow(host, directory)
  return Object.entries(expected).some(([path, size]) => found[path] !== size)
}

function filesIn(text: string): Inventory['files'] | undefined {
  try {
    return (JSON.parse(text) as Partial<Inventory> | null)?.files
  } catch {
    return undefined
  }
}
