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
  locate(): Promise<string | undefined>
}

/** Asks one place after the other for programs of the major version. */
export async function findBinaries(
  host: Host,
  major: number,
  locators: readonly BinariesLocator[],
): Promise<BinariesObservation> {
  const looked: string[] = []
  for (const locator of locators) {
    const directory = await locator.locate()
    const version = directory === undefined ? undefined : await versionOf(host, directory)
    if (directory !== undefined && version?.major === major) {
      return { kind: 'found', directory, version, source: locator.place }
    }
    looked.push(version === undefined ? locator.place : `${locator.place} (which has ${version.text})`)
  }
  return { kind: 'missing', looked }
}

/** Where the programs of a cluster file are looked for: its own `bin` alone where it names one; else here, then `more`. */
export function clusterLocators(
  host: Host,
  cluster: DeclaredCluster,
  more: readonly BinariesLocator[],
): readonly BinariesLocator[] {
  const { bin, version } = cluster.postgres
  if (bin !== undefined) return [directoryLocator(host, bin)]
  return [pathLocator(host), directoryLocator(host, `/usr/lib/postgresql/${version}/bin`), ...more]
}

function directoryLocator(host: Host, directory: string): BinariesLocator {
  return { place: directory, locate: async () => ((await hasPrograms(host, directory)) ? directory : undefined) }
}

function pathLocator(host: Host): BinariesLocator {
  return {
    place: 'PATH',
    locate: async () => {
      for (const directory of (process.env['PATH'] ?? '').split(':').filter((each) => each.startsWith('/'))) {
        if (await hasPrograms(host, directory)) return directory
      }
      return undefined
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
