import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseHostAndPort } from './address.js'
import { loadCluster } from './load-cluster.js'
import { type ClusterDeclaration, clusterFileText } from './print-cluster-file.js'

const file = '/srv/shop/maestra.yaml'

const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,62}$/)
const path = fc.oneof(
  fc.string({ minLength: 1 }).filter((text) => !/^~|\p{Cc}/u.test(text)),
  fc.constantFrom(
    './data/db 1',
    '/var/lib/db:1',
    '- x',
    '# x',
    'null',
    'true',
    '12',
    '0x1f',
    '*x',
    "it's",
    '"',
    ': ',
    'é',
  ),
)
const value = fc.oneof(
  fc.string().filter((text) => !/\p{Cc}/u.test(text)),
  fc.constantFrom(
    'on',
    'off',
    '10',
    '-1',
    '0.10',
    '1.5',
    '0600',
    '1e3',
    '1e21',
    '0x10',
    '.inf',
    '256MB',
    'true',
    'null',
    '~',
    '',
  ),
  fc.constantFrom(
    ' ',
    'a: b',
    '# x',
    "'",
    '"',
    '\\',
    '%m [%p] ',
    'cp %p "/wal/%f"',
    '*',
    '&a',
    '<<',
    '-',
    '2024-01-01',
  ),
)
const parameters = fc.dictionary(fc.stringMatching(/^x_[a-z]{1,5}(\.[a-z]{1,5})?$/), value, { maxKeys: 5 })
const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('10.0.0.0/8', '::/0', 'app.example.com', '.example.com'))
const node = fc.record(
  {
    name,
    host: fc.constantFrom('127.0.0.1', '::1', 'db1.example.com', '10.0.0.7'),
    port: fc.integer({ min: 1, max: 65535 }),
    data: path,
    via: fc.constantFrom('127.0.0.1:6432', '[2001:db8::7]:1', 'tunnel.example.com:65535'),
    primary: fc.boolean(),
    parameters,
  },
  { requiredKeys: ['name', 'data'] },
)
const declaration: fc.Arbitrary<ClusterDeclaration> = fc.record(
  {
    cluster: name,
    version: fc.integer({ min: 14, max: 19 }),
    bin: path,
    nodes: fc.array(node, { minLength: 1, maxLength: 4 }),
    replication: fc.record(
      { role: fc.constantFrom('replicator', 'follower_1'), authentication: fc.constantFrom('trust', 'scram-sha-256') },
      { requiredKeys: [] },
    ),
    baseBackup: fc.record(
      {
        with: fc.constantFrom('maestra', 'pg_basebackup'),
        checkpoint: fc.constantFrom('fast', 'spread'),
        max_rate: fc.constantFrom('32kB', '1048576kB', '1MB', '1GB'),
        verify: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    allow: fc.array(address, { maxLength: 3 }),
    archive: fc.record({ directory: path }),
    parameters,
    passfile: path,
  },
  { requiredKeys: ['cluster', 'version', 'nodes'] },
)

describe('clusterFileText', () => {
  test('writes what is loaded again as the same cluster', () => {
    fc.assert(
      fc.property(declaration, (declared) => {
        const { cluster, findings } = loadCluster(clusterFileText(declared), file)
        expect(findings).toStrictEqual([])
        expect(cluster).toStrictEqual({
          name: declared.cluster,
          file,
          postgres: {
            version: declared.version,
            bin: declared.bin === undefined ? undefined : resolve('/srv/shop', declared.bin),
          },
          nodes: declared.nodes.map((each) => ({
            name: each.name,
            host: each.host ?? '127.0.0.1',
            port: each.port ?? 5432,
            data: resolve('/srv/shop', each.data),
            ...(each.via === undefined ? {} : { via: parseHostAndPort(each.via) }),
            startsAs: each.primary === true ? 'primary' : 'standby',
            parameters: { ...declared.parameters, ...each.parameters },
          })),
          replication: {
            role: declared.replication?.role ?? 'replicator',
            authentication: declared.replication?.authentication ?? 'scram-sha-256',
          },
          baseBackup: {
            with: declared.baseBackup?.with ?? 'maestra',
            checkpoint: declared.baseBackup?.checkpoint ?? 'fast',
            maxRateKb: { '32kB': 32, '1MB': 1024, '1GB': 1_048_576, '1048576kB': 1_048_576 }[
              declared.baseBackup?.max_rate ?? ''
            ],
            verify: declared.baseBackup?.verify ?? true,
          },
          allow: declared.allow ?? [],
          ...(declared.archive === undefined
            ? {}
            : { archive: { directory: resolve('/srv/shop', declared.archive.directory) } }),
          passfile: resolve('/srv/shop', declared.passfile ?? 'maestra.pgpass'),
        })
      }),
      { numRuns: 300 },
    )
  })

  test('writes a file that reads as if written by hand', () => {
    const text = clusterFileText({
      cluster: 'shop',
      version: 18,
      nodes: [
        { name: 'db1', host: '127.0.0.1', port: 5441, data: './data/db1', primary: true },
        { name: 'db2', port: 5442, data: './data/db2', primary: false, parameters: { work_mem: '8MB' } },
      ],
      replication: { authentication: 'trust' },
      allow: ['127.0.0.1', '10.0.0.0/8'],
      parameters: { max_connections: '50', log_file_mode: '0600', fsync: 'off', archive_command: 'cp %p /wal/%f' },
    })
    expect(text).toMatchInlineSnapshot(`
      "cluster: shop
      postgres:
        version: 18
      nodes:
        - name: db1
          host: 127.0.0.1
          port: 5441
          data: ./data/db1
          primary: true
        - name: db2
          port: 5442
          data: ./data/db2
          parameters:
            work_mem: 8MB
      replication:
        authentication: trust
      allow:
        - 127.0.0.1
        - 10.0.0.0/8
      parameters:
        max_connections: 50
        log_file_mode: "0600"
        fsync: off
        archive_command: cp %p /wal/%f
      "
    `)
  })

  test('leaves out what is undefined or empty', () => {
    const text = clusterFileText({
      cluster: 'shop',
      version: 18,
      bin: undefined,
      nodes: [{ name: 'db1', host: undefined, data: 'db1', parameters: {} }],
      replication: {},
      allow: [],
      parameters: {},
    })
    expect(text).toMatchInlineSnapshot(`
      "cluster: shop
      postgres:
        version: 18
      nodes:
        - name: db1
          data: db1
      replication: {}
      "
    `)
  })
})
