import { describe, expect, test } from 'vitest'
import { loadCluster } from '../../cluster/load-cluster.js'
import { sendersAndSlots } from './senders-and-slots.js'

/** What is found in a cluster of a primary and some standbys, with these parameters of all nodes. */
function said(standbys: number, parameters: string, ofPrimary = ''): string[] {
  const nodes = Array.from({ length: standbys }, (_, index) => `  - { name: s${index}, data: s${index} }\n`)
  const text = `cluster: shop
postgres: { version: 18 }
parameters: { ${parameters} }
nodes:
  - { name: p, data: p, primary: true, parameters: { ${ofPrimary} } }
${nodes.join('')}`
  const { cluster, locate, findings } = loadCluster(text, '/srv/maestra.yaml')
  expect(findings).toStrictEqual([])
  return sendersAndSlots.check({ declared: cluster, locate }).map(({ severity, rule, message, hint, place }) => {
    return `${place?.line} ${severity} ${rule}: ${message} (${hint})`
  })
}

describe('WAL senders', () => {
  test.each([
    [2, ''],
    [9, ''],
    [2, 'max_wal_senders: 3'],
    [0, 'max_wal_senders: 1'],
    [2, 'max_wal_senders: many'],
  ])('are enough for %i standbys with %j', (standbys, parameters) => {
    expect(said(standbys, parameters)).toStrictEqual([])
  })

  test('are one for each standby', () => {
    expect(said(2, 'max_wal_senders: 1')).toStrictEqual([
      '3 error max-wal-senders: `max_wal_senders` is 1: 2 standbys need one each (set it to 3 or more: one for each standby, and one for a base backup)',
    ])
  })

  test('may be as many as standbys, with a warning', () => {
    expect(said(1, 'max_wal_senders: 1')).toStrictEqual([
      '3 warning max-wal-senders: `max_wal_senders` is 1: 1 standby needs one, and none is left for a base backup (set it to 2 or more: one for each standby, and one for a base backup)',
    ])
  })

  test('are at least one', () => {
    expect(said(0, 'max_wal_senders: 0')).toStrictEqual([
      '3 error max-wal-senders: `max_wal_senders` is 0: a base backup needs one (set it to 1 or more)',
    ])
  })

  test('are ten by default', () => {
    expect(said(10, 'max_replication_slots: 20').map((text) => text.slice(0, 61))).toStrictEqual([
      '5 warning max-wal-senders: `max_wal_senders` is 10 by default',
    ])
    expect(said(11, 'max_replication_slots: 20').map((text) => text.slice(0, 59))).toStrictEqual([
      '5 error max-wal-senders: `max_wal_senders` is 10 by default',
    ])
  })

  test('are counted where the primary says them itself', () => {
    expect(said(2, 'max_wal_senders: 1', 'max_wal_senders: 5')).toStrictEqual([])
    expect(said(2, 'max_wal_senders: 5', 'max_wal_senders: 1')).toStrictEqual([expect.stringMatching(/^5 error/)])
  })
})

describe('replication slots', () => {
  test('are enough when there is one for each standby', () => {
    expect(said(2, 'max_replication_slots: 2')).toStrictEqual([])
    expect(said(0, 'max_replication_slots: 0')).toStrictEqual([])
  })

  test('are one for each standby', () => {
    expect(said(2, 'max_replication_slots: 1')).toStrictEqual([
      '3 error max-replication-slots: `max_replication_slots` is 1: 2 standbys need one each (set it to 2 or more)',
    ])
  })

  test('are ten by default', () => {
    expect(said(11, 'max_wal_senders: 20')).toStrictEqual([
      '5 error max-replication-slots: `max_replication_slots` is 10 by default: 11 standbys need one each (set it to 11 or more)',
    ])
  })
})

test('senders and slots are counted on each node that others follow', () => {
  const text = (ofMiddle: string) => `cluster: shop
postgres: { version: 18 }
parameters: { max_wal_senders: 2, max_replication_slots: 1 }
nodes:
  - { name: p, data: p, primary: true }
  - { name: m, data: m, parameters: { ${ofMiddle} } }
  - { name: s1, data: s1, follows: m }
  - { name: s2, data: s2, follows: m }
`
  const saidOf = (ofMiddle: string) => {
    const { cluster, locate } = loadCluster(text(ofMiddle), '/srv/maestra.yaml')
    return sendersAndSlots.check({ declared: cluster, locate }).map(({ message, place }) => `${place?.line} ${message}`)
  }
  expect(saidOf('max_wal_senders: 3, max_replication_slots: 2')).toStrictEqual([])
  expect(saidOf('max_wal_senders: 2, max_replication_slots: 2')).toStrictEqual([
    '6 `max_wal_senders` is 2: 2 standbys of m need one each, and none is left for a base backup',
  ])
  expect(saidOf('max_wal_senders: 1')).toStrictEqual([
    '6 `max_wal_senders` is 1: 2 standbys of m need one each',
    '3 `max_replication_slots` is 1: 2 standbys of m need one each',
  ])
})

describe('wal_level', () => {
  test.each(['replica', 'logical', 'Replica', 'hot_standby'])('may be %s', (level) => {
    expect(said(1, `wal_level: ${level}`)).toStrictEqual([])
  })

  test('is not minimal on the primary', () => {
    expect(said(0, '', 'wal_level: Minimal')).toStrictEqual([
      '5 error wal-level: `wal_level` is minimal: such WAL is not enough for a standby (leave it out, or set it to replica or logical)',
    ])
  })

  test('is not minimal on a standby, which may become the primary', () => {
    expect(said(1, 'wal_level: minimal', 'wal_level: replica')).toHaveLength(1)
  })
})

test('says nothing without a declaration or without a primary', () => {
  const { cluster } = loadCluster(
    'cluster: c\npostgres: { version: 18 }\nnodes: [{ name: a, data: a }]\nparameters: { wal_level: minimal }',
    '/f',
  )
  expect(sendersAndSlots.check({ declared: undefined })).toStrictEqual([])
  expect(sendersAndSlots.check({ declared: cluster })).toStrictEqual([])
})
