import { MaestraError } from '@maestra/client/base/error'
import { type DeclaredCluster, primaryOf } from '../cluster/declared-cluster.js'
import type { Account, Host } from '../host/host.js'

/**
 * The account that a node's server runs as. PostgreSQL refuses root, so root lends itself: to the owner of the data
 * directory, else to that of the primary's, whose archive a standby has to read, else to `postgres`, else to `nobody`. No
 * account is made.
 */
export async function serverAccount(host: Host, data: string, cluster: DeclaredCluster): Promise<Account> {
  return (
    (await ownerOf(host, data)) ?? (await ownerOf(host, primaryOf(cluster).data)) ?? (await accountWithoutOwner(host))
  )
}

/** To whom root lends itself for a directory, where that tells. */
async function ownerOf(host: Host, directory: string): Promise<Account | undefined> {
  const found = host.processes.self().uid === 0 ? await host.files.stat(directory) : undefined
  return found === undefined || found.uid === 0 ? undefined : await host.processes.account(found.uid)
}

/** The account that servers run as where no data directory names one. */
export async function accountWithoutOwner(host: Host): Promise<Account> {
  const self = host.processes.self()
  if (self.uid !== 0) return self
  const account = (await host.processes.account('postgres')) ?? (await host.processes.account('nobody'))
  if (account !== undefined) return account
  throw new MaestraError(
    'no-server-account',
    `PostgreSQL refuses to run as root, and ${host.name} has neither an account postgres nor nobody`,
    { hint: 'make one: useradd --system postgres' },
  )
}
