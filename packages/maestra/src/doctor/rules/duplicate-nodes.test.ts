import { describe, expect, test } from 'vitest'
import { loadCluster } from '../../cluster/load-cluster.js'
import { duplicateNodes } from './duplicate-nodes.js'

/** What is found in a cluster of two nodes, db1 and db2, that say the given things. */
function said(first: string, second: string): string[] {
  const node = (name: string, keys: string) => {
    const defaults = { name, port: name === 'db1' ? '5441' : '5442', data: `data/${name}` }
    const missing = Object.entries(defaults).filter(([key]) => !keys.includes(`${key}:`))
    return `  - { ${[...missing.map(([key, value]) => `${key}: ${value}`), keys].join(', ')} }\n`
  }
  const text = `cluster: shop\npostgres: { version: 18 }\nnodes:\n${node('db1', first)}${node('db2', second)}`
  const { cluster, locate, findings } = loadCluster(text, '/srv/maestra.yaml')
  expect(findings).toStrictEqual([])
  return duplicateNodes.check({ declared: cluster, locate }).map(({ rule, severity, message, place }) => {
    expect(severity).toBe('error')
    return `${place?.line} ${rule}: ${message}`
  })
}

test('finds nothing wrong with nodes that share nothing', () => {
  expect(said('primary: true', 'host: localhost')).toStrictEqual([])
})

describe('names', () => {
  test('are not the same', () => {
    expect(said('name: db', 'name: db')).toStrictEqual(['5 duplicate-name: two nodes have the name db'])
  })

  test('do not become the same replication slot', () => {
    expect(said('name: db-1', 'name: db_1')).toStrictEqual([
      '5 duplicate-slot: nodes db-1 and db_1 would share the replication slot db_1',
    ])
  })
})

describe('ports', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', '127.0.0.1'],
    ['db.example.com', 'DB.example.com'],
    ['"::1"', '"0:0:0:0:0:0:0:1"'],
  ])('are not the same on %s and %s', (first, second) => {
    const found = said(`host: ${first}, port: 5440`, `host: ${second}, port: 5440`)
    expect(found).toStrictEqual([
      `5 duplicate-port: nodes db1 and db2 both listen on ${second.replaceAll('"', '')}, port 5440`,
    ])
  })

  test('may be the same on different hosts', () => {
    expect(said('host: 10.0.0.1, port: 5440', 'host: 10.0.0.2, port: 5440')).toStrictEqual([])
  })

  test('are not the same by default', () => {
    const text = 'cluster: c\npostgres: { version: 18 }\nnodes:\n  - { name: a, data: a }\n  - name: b\n    data: b\n'
    const { cluster, locate } = loadCluster(text, '/srv/maestra.yaml')
    expect(duplicateNodes.check({ declared: cluster, locate })[0]?.place).toMatchObject({ line: 5, column: 5 })
  })

  const socket = '5 duplicate-port: nodes db1 and db2 would make the same Unix socket: port 5440 in'
  test.each([
    ['', '', [`${socket} the default directory`]],
    ['/run/a', '/run/b', []],
    ['/run/a', '', []],
    ['"/run/a, /run/b"', '"/run/c,/run/b"', [`${socket} /run/b`]],
    ['""', '""', []],
  ])('of two loopback addresses do not meet in a socket directory: %j and %j', (first, second, found) => {
    const parameters = (directories: string) =>
      directories === '' ? '' : `, parameters: { unix_socket_directories: ${directories} }`
    const node = (host: string, directories: string) => `host: ${host}, port: 5440${parameters(directories)}`
    expect(said(node('127.0.0.1', first), node('127.0.0.2', second))).toStrictEqual(found)
  })
})

describe('data directories', () => {
  test.each([
    ['data/x', './data/x'],
    ['data/x', '/srv/data/x/'],
    ['data/x', 'data/y/../x'],
  ])('are not the same: %s and %s', (first, second) => {
    expect(said(`data: ${first}`, `data: ${second}`)).toStrictEqual([
      '5 duplicate-data: nodes db1 and db2 have the same data directory /srv/data/x',
    ])
  })

  test('do not lie in one another', () => {
    expect(said('data: data', 'data: data/db2')).toStrictEqual([
      '5 nested-data: the data directory of node db2 lies inside that of node db1: /srv/data/db2',
    ])
    expect(said('data: data/db1', 'data: /')).toStrictEqual([
      '5 nested-data: the data directory of node db1 lies inside that of node db2: /srv/data/db1',
    ])
  })

  test('may begin alike', () => {
    expect(said('data: data/db', 'data: data/db2')).toStrictEqual([])
  })

  test('are not the same on any two hosts', () => {
    expect(said('host: 10.0.0.1, data: x', 'host: 10.0.0.2, data: x')).toHaveLength(1)
  })
})

test('finds everything that two nodes share', () => {
  expect(said('name: a, port: 1, data: x', 'name: a, port: 1, data: x')).toHaveLength(3)
})

test('says nothing without a declaration', () => {
  expect(duplicateNodes.check({ declared: undefined })).toStrictEqual([])
})
