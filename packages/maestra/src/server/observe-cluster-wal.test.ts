import { dirname } from 'node:path'
import { expect, it } from 'vitest'
import { loadCluster } from '../cluster/load-cluster.js'
import type { DataDirectory, NodeObservation, RunningServer } from '../cluster/observation.js'
import type { HostFiles } from '../host/host.js'
import { withWal } from './observe-cluster-wal.js'

const { cluster } = loadCluster(
  `cluster: shop
postgres: { version: 18 }
nodes:
  - { name: db1, port: 5441, data: /db1, primary: true }
  - { name: db2, port: 5442, data: /db2 }
  - { name: db3, port: 5443, data: /db3, follows: db2 }
  - { name: db4, port: 5444, data: /db4 }
  - { name: db5, port: 5445, data: /db5, follows: db3 }
`,
  '/shop/maestra.yaml',
)
if (cluster === undefined) throw new Error('the cluster file of this test is wrong')

const away = { kind: 'down' } as const

function streamsFrom(port: number): RunningServer {
  const walReceiver = { status: 'streaming', host: '127.0.0.1', port, slot: undefined }
  return { kind: 'up', inRecovery: true, walReceiver, slots: [] } as Partial<RunningServer> as RunningServer
}

/** Whose WAL is looked at, in groups that are looked at one after the other. */
async function looks(...servers: readonly NodeObservation['server'][]): Promise<readonly string[]> {
  const seen: string[] = []
  const files: Partial<HostFiles> = {
    readBytes: async () => undefined,
    list: async (directory) => {
      // Whoever is looked at together is so before any of them is done.
      const group = seen.pop() ?? ''
      seen.push(`${group} ${dirname(directory)}`.trim())
      await new Promise((done) => setImmediate(done))
      if (seen.at(-1) !== '') seen.push('')
      return undefined
    },
  }
  const directory = { kind: 'data' } as Partial<DataDirectory> as DataDirectory
  const nodes = (cluster?.nodes ?? []).map(
    ({ name }, index) => ({ name, directory, server: servers[index] }) as Partial<NodeObservation> as NodeObservation,
  )
  if (cluster !== undefined) await withWal(files as HostFiles, cluster, nodes)
  return seen.filter((group) => group !== '')
}

it('nobody is looked at while all stream from where they should', async () => {
  expect(await looks(away, ...[5441, 5442, 5441, 5443].map(streamsFrom))).toEqual([])
})

it('the primary is looked at after a standby that is away, and one that streams beside it is not', async () => {
  expect(await looks(away, ...[5441, 5442].map(streamsFrom), away, streamsFrom(5443))).toEqual(['/db4', '/db1'])
})

it('the standbys between the two are looked at between them', async () => {
  expect(await looks(away, ...[5441, 5442, 5441].map(streamsFrom), away)).toEqual(['/db5', '/db3 /db2', '/db1'])
})

it('one that streams from another node is away', async () => {
  expect(await looks(away, streamsFrom(5441), streamsFrom(5441), away, streamsFrom(5443))).toEqual([
    '/db3 /db4',
    '/db2',
    '/db1',
  ])
})
