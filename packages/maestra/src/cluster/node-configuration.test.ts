import { Secret } from '@maestra/client/base/secret'
import { settingsOf } from '@maestra/client/postgres/conf'
import { expect, test } from 'vitest'
import { archiveCommand, restoreCommand } from './archive-commands.js'
import { loadCluster } from './load-cluster.js'
import {
  hbaBlockText,
  madeFor,
  nodeConfiguration,
  nodePassfileText,
  passfileLines,
  toldStandbys,
} from './node-configuration.js'

const text = `cluster: shop
postgres: { version: 18 }
nodes:
  - { name: db1, host: 10.0.0.1, port: 5441, data: /srv/db1, primary: true }
  - { name: db-2, host: "::1", port: 5442, data: "/srv/it's db2", parameters: { work_mem: 8MB } }
parameters: { work_mem: 4MB }
allow: [10.0.0.0/8, app.example.com]
`
function clusterOf(more = '') {
  const { cluster, findings } = loadCluster(text + more, '/shop/maestra.yaml')
  const [primary, standby] = cluster?.nodes ?? []
  if (cluster === undefined || primary === undefined || standby === undefined) throw new Error(JSON.stringify(findings))
  return { cluster, primary, standby }
}

test('a standby follows the primary by its declared address, under its own name and through its own slot', () => {
  const { cluster, standby } = clusterOf()
  const { settings } = nodeConfiguration(cluster, standby)
  expect(settingsOf(settings)).toMatchObject({
    'maestra.cluster': 'shop',
    'maestra.node': 'db-2',
    listen_addresses: '::1',
    port: '5442',
    work_mem: '8MB',
    hot_standby: 'on',
    primary_slot_name: 'db_2',
    primary_conninfo: `host=10.0.0.1 port=5441 user=replicator application_name='db-2' passfile='/srv/it\\'s db2/maestra.pgpass'`,
  })
})

test('the primary has no settings of a standby, and the parameters of the cluster', () => {
  const { cluster, primary } = clusterOf()
  const settings = settingsOf(nodeConfiguration(cluster, primary).settings)
  expect(settings).toMatchObject({ 'maestra.node': 'db1', work_mem: '4MB', listen_addresses: '10.0.0.1', port: '5441' })
  expect(Object.keys(settings)).not.toContain('primary_conninfo')
  expect(Object.keys(settings)).not.toContain('primary_slot_name')
})

test('no slot of a node keeps WAL without a limit, unless the file says so', () => {
  const ofBoth = (more = '') => {
    const { cluster, primary, standby } = clusterOf()
    const limited = (node: typeof primary) => ({
      ...node,
      parameters: more === '' ? {} : { max_slot_wal_keep_size: more },
    })
    return [primary, standby].map((node) => {
      const { settings } = nodeConfiguration(cluster, limited(node))
      return settingsOf(settings)['max_slot_wal_keep_size']
    })
  }
  expect(ofBoth()).toEqual(['16GB', '16GB'])
  expect(ofBoth('-1')).toEqual(['-1', '-1'])
})

test('the primary tells which standbys are declared, in one order, and a standby tells of none', () => {
  const { cluster, primary, standby } = clusterOf()
  const told = nodeConfiguration(cluster, primary).settings
  expect(told).toContain("maestra.standbys = 'db-2'\n")
  expect(toldStandbys(settingsOf(told))).toEqual(['db-2'])
  expect(nodeConfiguration(cluster, standby).settings).not.toContain('standbys')
  expect(toldStandbys({})).toEqual([])
})

test('a held setting takes the place of the declared one, or keeps it out', () => {
  const { cluster, standby } = clusterOf()
  const settings = settingsOf(nodeConfiguration(cluster, standby, { work_mem: null, max_connections: '200' }).settings)
  expect(settings).toMatchObject({ max_connections: '200', port: '5442' })
  expect(Object.keys(settings)).not.toContain('work_mem')
})

test('replication on trust names no passfile', () => {
  const { cluster, standby } = clusterOf('replication: { authentication: trust }\n')
  const { settings, hbaLines } = nodeConfiguration(cluster, standby)
  expect(settings).not.toContain('passfile')
  expect(hbaBlockText(hbaLines)).toContain('host replication replicator 10.0.0.1/32 trust')
})

test('a node lets in whoever may follow it, which is all others, Maestra itself, and applications with a password', () => {
  const { cluster, primary, standby } = clusterOf()
  const block = hbaBlockText(nodeConfiguration(cluster, primary).hbaLines)
  expect(block.split('\n')).toEqual([
    'host replication replicator ::1/128 scram-sha-256',
    'host all postgres 10.0.0.1/32 scram-sha-256',
    'host all all 10.0.0.0/8 scram-sha-256',
    'host all all app.example.com scram-sha-256',
  ])
  expect(hbaBlockText(nodeConfiguration(cluster, standby).hbaLines)).toBe(
    block.replace('replicator ::1/128', 'replicator 10.0.0.1/32'),
  )
})

test.each([
  ['one other', ['192.168.1.1', '192.168.1.2'], ['192.168.1.2/32']],
  ['two others on one machine', ['10.0.0.1', '10.0.0.2', '10.0.0.2'], ['10.0.0.2/32']],
  ['nobody else', ['10.0.0.1'], []],
  ['one at its own address', ['127.0.0.1', '127.0.0.1'], ['127.0.0.1/32']],
  // From 127.0.0.1 to 127.0.0.2 Linux takes the first, and to ::1 that itself.
  ['one at another loopback address', ['127.0.0.2', '127.0.0.1'], ['127.0.0.2/32', '127.0.0.1/32']],
  ['one elsewhere, itself on loopback', ['127.0.0.1', '10.0.0.2'], ['10.0.0.2/32']],
])('%s is let in for replication, and nobody else', (_, hosts, expected) => {
  const nodes = hosts.map(
    (host, index) => `{ name: n${index}, host: ${host}, data: n${index}, primary: ${index === 0} }`,
  )
  const { cluster } = loadCluster(`cluster: shop\npostgres: { version: 18 }\nnodes: [${nodes}]\n`, '/shop/maestra.yaml')
  const [primary] = cluster?.nodes ?? []
  if (cluster === undefined || primary === undefined) throw new Error('unreachable')
  const lines = nodeConfiguration(cluster, primary).hbaLines
  expect(lines.filter(({ database }) => database === 'replication').map(({ address }) => address)).toEqual(expected)
})

test('an archive is on for every node, restored from by standbys, and what a node declares wins', () => {
  const { cluster, primary, standby } = clusterOf('archive: { directory: "/srv/it\'s 100%" }\n')
  const lead = settingsOf(nodeConfiguration(cluster, primary).settings)
  const follow = settingsOf(nodeConfiguration(cluster, standby).settings)
  expect(lead).toMatchObject({ archive_mode: 'on', archive_command: archiveCommand("/srv/it's 100%") })
  expect(follow).toMatchObject({ archive_mode: 'on', restore_command: restoreCommand("/srv/it's 100%") })
  expect(lead).not.toHaveProperty('restore_command')
  for (const settings of [lead, follow]) expect(settings).not.toHaveProperty('archive_cleanup_command')
  const own = { ...standby, parameters: { archive_mode: 'always', archive_command: 'true', restore_command: 'false' } }
  expect(settingsOf(nodeConfiguration(cluster, own).settings)).toMatchObject(own.parameters)
})

test('a passfile has one escaped line for each node, and is a secret', () => {
  const { cluster } = clusterOf()
  const password = new Secret('a:b\\c')
  expect(passfileLines(cluster.nodes, 'me', password)).toBe(
    '10.0.0.1:5441:*:me:a\\:b\\\\c\n\\:\\:1:5442:*:me:a\\:b\\\\c\n',
  )
  const own = nodePassfileText(cluster, password)
  expect(own.reveal()).toBe(passfileLines(cluster.nodes, 'replicator', password))
  expect(JSON.stringify({ own })).not.toContain('b')
})

test('a settings file says for which node of which cluster it was written, and another file says nothing', () => {
  const { cluster, primary } = clusterOf()
  expect(madeFor(nodeConfiguration(cluster, primary).settings)).toEqual({ cluster: 'shop', node: 'db1' })
  expect(madeFor("maestra.cluster = 'shop'")).toBeUndefined()
  expect(madeFor("maestra.node = 'db1'")).toBeUndefined()
  expect(madeFor('')).toBeUndefined()
})
