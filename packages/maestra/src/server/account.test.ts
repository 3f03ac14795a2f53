import { expect, it } from 'vitest'
import { loadCluster } from '../cluster/load-cluster.js'
import type { Account, Host } from '../host/host.js'
import { serverAccount } from './account.js'

const accounts: readonly Account[] = [
  { name: 'root', uid: 0, gid: 0 },
  { name: 'postgres', uid: 101, gid: 101 },
  { name: 'shop', uid: 1001, gid: 1001 },
  { name: 'other', uid: 1002, gid: 1002 },
]

/** A machine that root works on, with directories of so many accounts. */
function machine(owners: Readonly<Record<string, number>>): Host {
  const found = (nameOrUid: string | number) =>
    accounts.find(({ name, uid }) => nameOrUid === name || nameOrUid === uid)
  const host: unknown = {
    name: 'this machine',
    files: { stat: async (path: string) => (path in owners ? { kind: 'directory', uid: owners[path] } : undefined) },
    processes: { self: () => accounts[0], account: async (nameOrUid: string | number) => found(nameOrUid) },
  }
  return host as Host
}

const { cluster } = loadCluster(
  'cluster: shop\npostgres: { version: 18 }\nnodes:\n  - { name: db1, port: 5441, data: /srv/db1, primary: true }\n  - { name: db2, port: 5442, data: /srv/db2 }\n',
  '/srv/maestra.yaml',
)

async function accountOf(data: string, owners: Readonly<Record<string, number>>): Promise<string> {
  if (cluster === undefined) throw new Error('the cluster file is wrong')
  return (await serverAccount(machine(owners), data, cluster)).name
}

it('lends root to the owner of a data directory', async () => {
  expect(await accountOf('/srv/db2', { '/srv/db1': 1001, '/srv/db2': 1002 })).toBe('other')
})

it('lends root to the owner of the data of the primary where a standby has none, or an empty directory of root', async () => {
  expect(await accountOf('/srv/db2', { '/srv/db1': 1001 })).toBe('shop')
  expect(await accountOf('/srv/db2', { '/srv/db1': 1001, '/srv/db2': 0 })).toBe('shop')
})

it('lends root to postgres where nobody has data', async () => {
  expect(await accountOf('/srv/db2', {})).toBe('postgres')
  expect(await accountOf('/srv/db1', { '/srv/db1': 0, '/srv/db2': 1002 })).toBe('postgres')
})
