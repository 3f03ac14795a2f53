import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { BinariesObservation } from '../cluster/observation.js'
import type { Host } from '../host/host.js'
import { type BinariesLocator, findBinaries } from './binaries.js'

/** Where the nodes of a cluster live and where their programs are looked for. */
export type Site = {
  readonly host: Host
  /** The variables that lead to a password (PGPASSWORD, PGPASSFILE, HOME); empty where none of the outside may count. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly locators: (postgres: DeclaredCluster['postgres']) => readonly BinariesLocator[]
}

const known = new WeakMap<Site, Map<string, Promise<BinariesObservation>>>()

/**
 * The programs of a cluster's version. Looked for once in the life of a site: they do not change while a command
 * runs.
 */
export function binariesOf(site: Site, postgres: DeclaredCluster['postgres']): Promise<BinariesObservation> {
  const ofSite = known.get(site) ?? new Map<string, Promise<BinariesObservation>>()
  known.set(site, ofSite)
  const key = JSON.stringify([postgres.version, postgres.bin])
  const found = ofSite.get(key) ?? findBinaries(site.host, postgres.version, site.locators(postgres))
  ofSite.set(key, found)
  return found
}
