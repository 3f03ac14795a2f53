import { standbyMinimumSettings } from '@maestra/client/postgres/settings'
import { describe, expect, test } from 'vitest'
import { loadCluster } from '../../cluster/load-cluster.js'
import { standbyMinimum } from './standby-minimum.js'

function said(ofPrimary: string, ofStandby: string, ofAll = ''): string[] {
  const text = `cluster: shop
postgres: { version: 18 }
parameters: { ${ofAll} }
nodes:
  - { name: db1, data: db1, primary: true, parameters: { ${ofPrimary} } }
  - { name: db2, data: db2, parameters: { ${ofStandby} } }
`
  const { cluster, locate, findings } = loadCluster(text, '/srv/maestra.yaml')
  expect(findings).toStrictEqual([])
  return standbyMinimum.check({ declared: cluster, locate }).map(({ rule, message, place }) => {
    return `${place?.line}:${place?.column} ${rule}: ${message}`
  })
}

describe.each(Object.entries(standbyMinimumSettings))('%s', (name, byDefault) => {
  test('may be the same or higher on a standby', () => {
    expect(said('', '')).toStrictEqual([])
    expect(said(`${name}: 500`, `${name}: 500`)).toStrictEqual([])
    expect(said(`${name}: 500`, `${name}: 501`)).toStrictEqual([])
    expect(said('', '', `${name}: 500`)).toStrictEqual([])
  })

  test('is not lower on a standby', () => {
    expect(said(`${name}: 500`, `${name}: 499`)).toStrictEqual([
      `6:${45 + name.length} standby-minimum: \`${name}\` is 499 on standby db2, and 500 on its primary db1`,
    ])
  })

  test('is not lower by default on a standby', () => {
    expect(said(`${name}: 500`, '')).toStrictEqual([
      `6:5 standby-minimum: \`${name}\` is ${byDefault} by default on standby db2, and 500 on its primary db1`,
    ])
  })
})

test('is reckoned with what the primary has by default', () => {
  expect(said('', 'max_connections: 50')).toStrictEqual([
    '6:60 standby-minimum: `max_connections` is 50 on standby db2, and 100 by default on its primary db1',
  ])
})

test('other settings may be lower', () => {
  expect(said('work_mem: 8MB, max_replication_slots: 20', 'work_mem: 4MB, max_replication_slots: 5')).toStrictEqual([])
})

test('says nothing without a declaration, and nothing of a value that is no number', () => {
  expect(standbyMinimum.check({ declared: undefined })).toStrictEqual([])
  expect(said('max_connections: many', 'max_connections: 1')).toStrictEqual([])
})
