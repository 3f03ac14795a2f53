import { describe, expect, test } from 'vitest'
import type { NodeStatus } from '../../cluster/cluster-status.js'
import { plain } from '../terminal.js'
import { coloured } from './coloured.fixture.js'
import { statusView } from './status-view.js'
import { stripColours } from './table.js'

const row = (change: Partial<NodeStatus>): NodeStatus => ({
  name: 'db2',
  role: 'standby',
  state: 'streaming',
  host: '127.0.0.1',
  port: 5442,
  version: '18.4',
  timeline: 1,
  follows: 'db1',
  lsn: '0/3000000',
  lagBytes: 0,
  lagMs: 0,
  sync: 'async',
  slot: 'db2',
  pendingRestart: [],
  failedArchiving: null,
  unknown: null,
  ...change,
})
const primary = row({
  name: 'db1',
  role: 'primary',
  state: 'running',
  port: 5441,
  follows: null,
  lagBytes: null,
  lagMs: null,
  sync: null,
  slot: null,
})
const dead = row({
  name: 'db3',
  role: 'unknown',
  state: 'unreachable',
  version: null,
  timeline: null,
  lsn: null,
  lagBytes: null,
  lagMs: null,
  sync: null,
  slot: null,
  unknown: 'it cannot be asked: no answer',
})
const view = (nodes: readonly NodeStatus[], to = plain) => statusView({ cluster: 'shop', primary: 'db1', nodes }, to)

test('is one table, with a dead node as a row and its reason below', () => {
  expect(view([primary, row({ lagBytes: 2048, lagMs: 12, pendingRestart: ['max_connections'] }), dead])).toBe(
    `cluster shop, primary db1

NODE  ROLE     STATE        ADDRESS         VERSION  TL  LSN        LAG            SYNC   SLOT
db1   primary  running      127.0.0.1:5441  18.4     1   0/3000000  -              -      -
db2   standby  streaming    127.0.0.1:5442  18.4     1   0/3000000  2.0 kB, 12 ms  async  db2
db3   unknown  unreachable  127.0.0.1:5442  -        -   -          -              -      -

db2: changed settings wait for a restart: max_connections
db3: it cannot be asked: no answer
`,
  )
})

test('says below the table that archiving fails', () => {
  const failing = { ...primary, failedArchiving: { file: '000000010000000000000003', times: 4 } }
  expect(view([failing])).toContain(
    '\n\ndb1: it cannot archive 000000010000000000000003 (4 failures so far), and keeps all WAL since; its log says why\n',
  )
})

test('tells whom standbys follow where not all follow one node', () => {
  expect(
    view([primary, row({}), row({ name: 'db3', port: 5443, follows: 'db2', state: 'delayed', slot: 'db3' })]),
  ).toBe(
    `cluster shop, primary db1

NODE  ROLE     STATE      ADDRESS         VERSION  TL  LSN        LAG  FOLLOWS  SYNC   SLOT
db1   primary  running    127.0.0.1:5441  18.4     1   0/3000000  -    -        -      -
db2   standby  streaming  127.0.0.1:5442  18.4     1   0/3000000  0    db1      async  db2
db3   standby  delayed    127.0.0.1:5443  18.4     1   0/3000000  0    db2      async  db3
`,
  )
})

test('has no notes where all is well', () => {
  expect(view([primary, row({})])).toMatch(/db2\n$/)
})

test('says that there is no primary, that there are two, and that a standby follows nobody', () => {
  expect(statusView({ cluster: 'shop', primary: null, nodes: [dead] }, plain)).toContain('cluster shop, primary none\n')
  expect(view([primary, { ...primary, name: 'db2' }])).toMatch(
    /\ndb1 and db2 all run as primaries: their data drift apart\n$/,
  )
  expect(view([primary, { ...primary, name: 'db2', state: 'stopped' }])).not.toContain('drift apart')
  expect(view([primary, row({ state: 'running' })])).toMatch(/\ndb2: it runs and does not stream\n$/)
})

describe('a state has the colour', () => {
  test.each<[string, Partial<NodeStatus>]>([
    ['32', { state: 'streaming' }],
    ['32', { state: 'running', role: 'primary' }],
    ['33', { state: 'running', role: 'standby' }],
    ['32', { state: 'delayed' }],
    ['33', { state: 'catchup' }],
    ['33', { state: 'starting' }],
    ['33', { state: 'paused' }],
    ['31', { state: 'stopped' }],
    ['31', { state: 'unreachable' }],
    ['31', { state: 'failed' }],
  ])('%s: %j', (code, change) => {
    expect(view([row(change)], coloured)).toContain(`\u001b[${code}m${change.state}`)
  })

  test('which moves no column', () => {
    const nodes = [primary, row({}), dead]
    expect(stripColours(view(nodes, coloured))).toBe(view(nodes))
  })
})

test.each([
  [null, null, ' -  '],
  [0, 0, ' 0  '],
  [1, null, ' 1 B  '],
  [1, 0, ' 1 B, 0 ms  '],
])('the lag of %s bytes and %s ms is shown as%s', (lagBytes, lagMs, text) => {
  expect(view([row({ lagBytes, lagMs })])).toContain(`0/3000000 ${text}`)
})
