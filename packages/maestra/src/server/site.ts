import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { Host } from '../host/host.js'
import type { BinariesLocator } from './binaries.js'

/** Where the nodes of a cluster live and where their programs are looked for. */
export type Site = {
  readonly host: Host
  /** The variables that may hold a password (PGPASSWORD); empty where no outside one may count. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly locators: (cluster: DeclaredCluster) => readonly BinariesLocator[]
}
