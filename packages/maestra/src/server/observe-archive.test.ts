import { newSystemIdentifier } from '@maestra/client/postgres/control-data'
import { describe, expect, it } from 'vitest'
import { loadCluster } from '../cluster/load-cluster.js'
import { type HostUnderTest, hostBench } from '../host/host-bench.fixture.js'
import { hosts } from '../host/hosts.fixture.js'
import { observeArchive } from './observe-archive.js'

describe.each(hosts)('an archive on $name', ({ make }) => archiveSuite(make))

function archiveSuite(make: () => Promise<HostUnderTest>): void {
  const bench = hostBench(make)
  const { host, at, put } = bench

  const look = async (archive = 'archive') => {
    const text = `cluster: shop\npostgres: { version: 18 }\nnodes: [{ name: db1, data: db1, primary: true }, { name: db2, data: db2 }]\n`
    const { cluster } = loadCluster(text, at('maestra.yaml'))
    if (cluster === undefined) throw new Error('unreachable')
    return await observeArchive(host, cluster, at(archive))
  }
  const makeDirectory = async (name: string, mode = 0o700) => {
    const owner = (await host.processes.account('postgres')) ?? (await host.processes.account('nobody'))
    await host.files.makeDirectory(at(name), { mode, owner: bench.isRoot() ? owner : undefined })
  }

  it('is absent, or a directory that the server may write into', async () => {
    expect(await look()).toMatchObject({ kind: 'absent', inDataOf: undefined, closedFolder: undefined })
    await makeDirectory('archive')
    expect(await look()).toMatchObject({ kind: 'directory', writable: true, wal: [], closedFolder: undefined })
  })

  it('may be one that its server cannot write into', async () => {
    await makeDirectory('archive', 0o555)
    expect(await look()).toMatchObject({ kind: 'directory', writable: false, closedFolder: undefined })
    await makeDirectory('closed', 0o600)
    expect(await look('closed/archive')).toMatchObject({ closedFolder: at('closed') })
  })

  it('tells the system of its oldest and its newest segment, and of nothing else in it', async () => {
    await makeDirectory('archive')
    const [first, second] = [newSystemIdentifier(new Date(1), 1), newSystemIdentifier(new Date(2), 2)]
    await put(at('archive/000000010000000000000003'), header(first))
    await put(at('archive/000000010000000000000004'), header(first))
    await put(at('archive/000000020000000000000005'), header(second))
    await put(at('archive/000000020000000000000009.partial'), header(3n))
    await put(at('archive/00000002.history'), '1 0/5000000 no recovery target specified')
    expect(await look()).toMatchObject({
      wal: [
        { name: '000000010000000000000003', systemIdentifier: String(first) },
        { name: '000000020000000000000005', systemIdentifier: String(second) },
      ],
    })
    await put(at('archive/000000020000000000000006'), 'no segment')
    expect(await look()).toMatchObject({ wal: [{ name: '000000010000000000000003' }] })
  })

  it('is followed through links, also where it is not there yet', async () => {
    await makeDirectory('db2')
    await makeDirectory('elsewhere')
    await host.files.symbolicLink(at('into-data'), at('db2'))
    await host.files.symbolicLink(at('link'), at('elsewhere'))
    await host.files.symbolicLink(at('nowhere'), at('gone'))
    expect(await look('into-data')).toMatchObject({ kind: 'directory', inDataOf: 'db2' })
    expect(await look('into-data/archive')).toMatchObject({ kind: 'absent', inDataOf: 'db2' })
    expect(await look('link')).toMatchObject({ kind: 'directory', inDataOf: undefined })
    expect(await look('link/archive')).toMatchObject({ kind: 'absent', inDataOf: undefined })
    expect(await look('nowhere')).toEqual({ kind: 'in-the-way', because: 'a link that leads nowhere' })
  })

  it('may be something else', async () => {
    await put(at('archive'), 'a file')
    expect(await look()).toEqual({ kind: 'in-the-way', because: 'no directory' })
  })
}

/** The beginning of a segment of the system. */
function header(system: bigint): Buffer {
  const bytes = Buffer.alloc(64)
  bytes.writeUInt16LE(0xd118, 0)
  bytes.writeUInt16LE(2, 2)
  bytes.writeBigUInt64LE(system, 24)
  return bytes
}
