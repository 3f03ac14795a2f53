import { join } from 'node:path'
import { parseServerVersion, type ServerVersion } from '@maestra/client/postgres/version'
import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { BinariesObservation } from '../cluster/observation.js'
import type { Account, Host } from '../host/host.js'

/** The PostgreSQL programs of one directory. */
export type Binaries = {
  /** Holds `postgres` and `initdb`. */
  readonly directory: string
  readonly version: ServerVersion
}

/** A place where programs may be; it may take work to make them ready, so it is asked only when its turn comes. */
export type BinariesLocator = {
  /** For messages: `PATH`, `/usr/lib/postgresql/18/bin`. */
  readonly place: string
  /** Directories with programs, of whatever version; the best first. */
  locate(): Promise<readonly string[]>
}

/** Asks one place after the other for programs of the major version. */
export async function findBinaries(
  host: Host,
  major: number,
  locators: readonly BinariesLocator[],
): Promise<BinariesObservation> {
  const looked: string[] = []
  for (const { place, locate } of locators) {
    const others: string[] = []
    for (const directory of await locate()) {
      const version = await versionOf(host, directory)
      if (version?.major === major) return { kind: 'found', directory, version, source: place }
      if (version !== undefined) others.push(version.text)
    }
    looked.push(others.length === 0 ? place : `${place} (which has ${others.join(' and ')})`)
  }
  return { kind: 'missing', looked }
}

/**
 * Where the programs of a cluster file are looked for: its own `bin` alone where it names one; else here, then
 * `more`.
 */
export function clusterLocators(
  host: Host,
  { bin, version }: DeclaredCluster['postgres'],
  more: readonly BinariesLocator[],
): readonly BinariesLocator[] {
  if (bin !== undefined) return [directoryLocator(host, bin)]
  const path = (process.env['PATH'] ?? '').split(':').filter((directory) => directory.startsWith('/'))
  return [
    locator(host, 'PATH', [...new Set(path)]),
    directoryLocator(host, `/usr/lib/postgresql/${version}/bin`),
    ...more,
  ]
}

function directoryLocator(host: Host, directory: string): BinariesLocator {
  return locator(host, directory, [directory])
}

function locator(host: Host, place: string, directories: readonly string[]): BinariesLocator {
  return {
    place,
    locate: async () => {
      const complete = await Promise.all(directories.map((directory) => hasPrograms(host, directory)))
      return directories.filter((_, index) => complete[index])
    },
  }
}

/** A wrapper of a distribution may offer one program of the set alone: both that a node needs have to be there. */
async function hasPrograms(host: Host, directory: string): Promise<boolean> {
  const found = await Promise.all(
    ['postgres', 'initdb'].map((program) => host.files.stat(join(directory, program)).catch(() => undefined)),
  )
  return found.every((stat) => stat !== undefined && stat.kind !== 'directory')
}

async function versionOf(host: Host, directory: string): Promise<ServerVersion | undefined> {
  const result = await host.processes.run(join(directory, 'postgres'), ['--version'], {}).catch(() => undefined)
  if (result === undefined || result.exitCode !== 0) return undefined
  try {
    return parseServerVersion(result.stdout.trim())
  } catch {
    return undefined
  }
}

/** The programs as the account of a node's server can run them, or why it cannot. */
export async function closedFolderOf(host: Host, directory: string, account: Account): Promise<string | undefined> {
  return await host.files.firstClosedFolder(join(directory, 'postgres'), account)
}
