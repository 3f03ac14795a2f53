import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadCluster } from './load-cluster.js'

const file = '/srv/shop/maestra.yaml'

const whole = readFileSync(join(import.meta.dirname, 'load-cluster.fixture.yaml'), 'utf8')

/** A file that is right but for what the given lines say in it. */
function withNode(lines: string): string {
  return `cluster: shop\npostgres: { version: 18 }\nnodes:\n  - name: db1\n    data: db1\n    ${lines}\n`
}

function withTop(lines: string): string {
  return `cluster: shop\npostgres: { version: 18 }\nnodes: [{ name: db1, data: db1 }]\n${lines}\n`
}

describe('a cluster file', () => {
  test('is read with every key that there is', () => {
    expect(loadCluster(whole, file)).toMatchObject({
      findings: [],
      cluster: {
        name: 'shop',
        file,
        postgres: { version: 18, bin: '/usr/lib/postgresql/18/bin' },
        replication: { role: 'follower', authentication: 'trust' },
        baseBackup: { with: 'pg_basebackup', checkpoint: 'spread', maxRateKb: 51_200, verify: false },
        allow: ['10.0.0.0/8', '192.0.2.7', 'app.example.com', '.example.org', '2001:db8::/32'],
        archive: { directory: '/srv/shop/archive' },
        passfile: '/srv/shop/secret/pass',
      },
    })
  })

  test('needs no more than names, a version and data directories', () => {
    const { cluster } = loadCluster('cluster: shop\npostgres:\n  version: 14\nnodes:\n- name: db1\n  data: db1\n', file)
    expect(cluster).toStrictEqual({
      name: 'shop',
      file,
      postgres: { version: 14, bin: undefined },
      nodes: [
        { name: 'db1', host: '127.0.0.1', port: 5432, data: '/srv/shop/db1', startsAs: 'standby', parameters: {} },
      ],
      replication: { role: 'replicator', authentication: 'scram-sha-256' },
      baseBackup: { with: 'maestra', checkpoint: 'fast', maxRateKb: undefined, verify: true },
      allow: [],
      passfile: '/srv/shop/maestra.pgpass',
    })
  })

  test('gives each node the parameters of the cluster with its own on top, as PostgreSQL reads them', () => {
    const { cluster } = loadCluster(whole, file)
    const common = {
      shared_buffers: '256MB',
      archive_mode: 'on',
      fsync: 'on',
      jit: 'off',
      log_file_mode: '0600',
      random_page_cost: '1.10',
      'pg_stat_statements.max': '5000',
    }
    expect(cluster?.nodes.map((node) => node.parameters)).toStrictEqual([
      { ...common, work_mem: '8MB', max_connections: '300' },
      { ...common, max_connections: '200' },
    ])
  })

  test('resolves paths against its own directory', () => {
    const { cluster } = loadCluster(whole, file)
    expect(cluster?.nodes.map((node) => node.data)).toStrictEqual(['/srv/shop/data/db1', '/var/lib/db2'])
  })

  test.each([
    ['a byte order mark', `\uFEFF${whole}`],
    ['line ends of Windows', whole.replaceAll('\n', '\r\n')],
    ['a document mark', `---\n${whole}`],
    ['a directive', `%YAML 1.2\n---\n${whole}...\n`],
  ])('may have %s', (_, text) => {
    expect(loadCluster(text, file).cluster).toStrictEqual(loadCluster(whole, file).cluster)
  })

  test('may share a block by an alias', () => {
    const text = withNode('parameters: &big { work_mem: 8MB }\n  - { name: db2, data: db2, parameters: *big }')
    expect(loadCluster(text, file).cluster?.nodes[1]?.parameters).toStrictEqual({ work_mem: '8MB' })
  })

  test('may set a parameter to an empty text', () => {
    const { cluster } = loadCluster(withTop('parameters: { synchronous_standby_names: "" }'), file)
    expect(cluster?.nodes[0]?.parameters).toStrictEqual({ synchronous_standby_names: '' })
  })

  const examples = join(import.meta.dirname, '../../../../examples')
  const clusterFiles = readdirSync(examples).filter((name) => existsSync(join(examples, name, 'maestra.yaml')))
  test.each(clusterFiles)('is right in examples/%s', (name) => {
    const path = join(examples, name, 'maestra.yaml')
    const { cluster, findings } = loadCluster(readFileSync(path, 'utf8'), path)
    expect(findings).toStrictEqual([])
    expect(cluster?.nodes.length).toBeGreaterThan(0)
  })
})

describe('locate', () => {
  const text = withNode('port: 5433\n    parameters:\n      Work_Mem: 8MB')
  const { locate } = loadCluster(text, file)

  test('finds a value', () => {
    expect(locate(['nodes', 0, 'port'])).toStrictEqual({ file, line: 6, column: 11, text: '    port: 5433' })
  })

  test('finds a node where its entry begins', () => {
    expect(locate(['nodes', 0])).toMatchObject({ line: 4, column: 5 })
  })

  test('finds a block at its key', () => {
    expect(locate(['nodes'])).toMatchObject({ line: 3, column: 1 })
  })

  test('finds a parameter in whatever case it is written', () => {
    expect(locate(['nodes', 0, 'parameters', 'work_mem'])).toMatchObject({ line: 8, column: 17 })
  })

  test.each([
    [['nodes', 0, 'host']],
    [['nodes', 7, 'port']],
    [['parameters', 'work_mem']],
    [['cluster', 'length']],
    [['nodes', 'length']],
    [['__proto__']],
  ])('finds nothing that the file does not say: %j', (path) => {
    expect(locate(path)).toBeUndefined()
  })

  test('finds nothing in a file that is not YAML', () => {
    expect(loadCluster('a: [', file).locate(['a'])).toBeUndefined()
  })
})

test('shows the line of a finding without its end', () => {
  const { findings } = loadCluster(withNode('port: abc   # no').replaceAll('\n', '\r\n'), file)
  expect(findings[0]?.place).toStrictEqual({ file, line: 6, column: 11, text: '    port: abc   # no' })
})
