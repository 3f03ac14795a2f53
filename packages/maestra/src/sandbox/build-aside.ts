import { dirname, join } from 'node:path'
import type { Host } from '../host/host.js'

const markerFile = 'maestra-cache'
let builds = 0

/**
 * A directory of the cache that is built once: beside its place, and renamed when complete, so that two at once do not
 * meet and a killed build is never taken for a whole one. Returns its path.
 */
export async function buildAside(
  host: Host,
  directory: string,
  build: (aside: string) => Promise<void>,
): Promise<string> {
  if (await isBuilt(host, directory)) return directory
  builds += 1
  const aside = `${directory}.building-${process.pid}-${builds}`
  await host.files.makeDirectory(dirname(directory), { mode: 0o711 })
  await removeAbandoned(host, directory)
  try {
    await host.files.makeDirectory(aside, { mode: 0o711 })
    await build(aside)
    await host.files.write(join(aside, markerFile), 'Maestra made this directory and may remove it.\n', { mode: 0o644 })
    await host.files.rename(aside, directory)
  } catch (error) {
    // Another process may have been faster, and what it built is as good.
    if (!(await isBuilt(host, directory))) throw error
  } finally {
    await host.files.removeTree(aside)
  }
  return directory
}

async function isBuilt(host: Host, directory: string): Promise<boolean> {
  return (await host.files.stat(join(directory, markerFile))) !== undefined
}

/** What killed builds of the same directory left. */
async function removeAbandoned(host: Host, directory: string): Promise<void> {
  const parent = dirname(directory)
  const prefix = `${directory.slice(parent.length + 1)}.building-`
  for (const name of (await host.files.list(parent)) ?? []) {
    if (!name.startsWith(prefix)) continue
    const pid = Number(name.slice(prefix.length).split('-')[0])
    if ((await host.processes.identify(pid)) === undefined) await host.files.removeTree(join(parent, name))
  }
}
