import { parseLsn } from '@maestra/client/postgres/lsn'
import { standbyMinimumSettings } from '@maestra/client/postgres/settings'
import { timelineOf } from '@maestra/client/postgres/timeline'
import { parseServerVersion } from '@maestra/client/postgres/version'
import { describe, expect, test } from 'vitest'
import { clusterStatus, isHealthy, type NodeStatus } from './cluster-status.js'
import { loadCluster } from './load-cluster.js'
import type { DataDirectory, NodeObservation, RunningServer, WalSender } from './observation.js'

const { cluster } = loadCluster(
  `cluster: shop
postgres: { version: 18 }
nodes:
  - { name: db1, port: 5441, data: /srv/db1, primary: true }
  - { name: db-2, port: 5442, data: /srv/db2 }
`,
  '/shop/maestra.yaml',
)
if (cluster === undefined) throw new Error('the cluster file of this test is wrong')

const directory = (state: string, standbySignal: boolean): DataDirectory => ({
  kind: 'data',
  majorVersion: 18,
  owner: 'postgres',
  madeFor: { cluster: 'shop', node: 'db-2' },
  control: {
    systemIdentifier: '7001',
    state,
    timeline: timelineOf(3),
    checkpointLsn: parseLsn('0/2000060'),
    standbyMinimums: standbyMinimumSettings,
  },
  standbySignal,
  configuration: {
    included: true,
    settings: '',
    settingsWrittenAtMs: 1,
    hbaBlock: '',
    settingsAbove: [],
    passfile: undefined,
  },
})

const server = (change: Partial<RunningServer>): RunningServer => ({
  kind: 'up',
  version: parseServerVersion('18.4'),
  systemIdentifier: '7001',
  dataDirectory: '/srv',
  inRecovery: false,
  timeline: timelineOf(3),
  lsn: parseLsn('0/3000000'),
  replayPaused: false,
  applyDelayMs: 0,
  waitsForDelay: false,
  startedAtMs: 1,
  lastReplayedCommitAtMs: undefined,
  sinceLastReplayMs: 3_600_000.4,
  configurationErrors: [],
  settingsAbove: [],
  configurationLoadedAtMs: 2,
  pendingRestart: [],
  startedWith: {},
  walReceiver: undefined,
  walSenders: [],
  slots: [{ name: 'db_2', physical: true, active: false, walStatus: 'reserved' }],
  tablespaces: [],
  replicationRole: undefined,
  ...change,
})

const receiver = { status: 'streaming', host: '127.0.0.1', port: 5441, slot: 'db_2' }
const sender = (change: Partial<WalSender> = {}): WalSender => ({
  node: 'db-2',
  state: 'streaming',
  sync: 'async',
  replayLsn: parseLsn('0/3000000'),
  replayLagMs: undefined,
  ...change,
})

const node = (name: string, change: Partial<NodeObservation>): NodeObservation => ({
  name,
  directory: directory('in production', name !== 'db1'),
  process: { kind: 'running', pid: 1, status: 'ready', port: 5441 },
  server: { kind: 'down' },
  binaries: { kind: 'missing', looked: [] },
  port: { kind: 'not-asked' },
  ...change,
})

const statusOf = (db1: Partial<NodeObservation>, db2: Partial<NodeObservation>) =>
  clusterStatus(cluster, {
    nodes: [node('db1', db1), node('db-2', db2)],
    passwords: { superuser: undefined, replication: undefined, nodesWithout: [] },
  })

/** The row of the standby beside a primary that runs. */
const standby = (own: Partial<RunningServer>, primary: Partial<RunningServer> = {}): NodeStatus | undefined =>
  statusOf({ server: server(primary) }, { server: server({ inRecovery: true, walReceiver: receiver, ...own }) })
    .nodes[1]

const silent = (change: Partial<NodeObservation>): NodeStatus | undefined =>
  statusOf({ server: server({}) }, { process: { kind: 'none' }, ...change }).nodes[1]

test('has the keys of a node in the documented order, in whichever state it is', () => {
  const keys =
    'name role state host port version timeline follows lsn lagBytes lagMs sync slot pendingRestart failedArchiving unknown'.split(
      ' ',
    )
  for (const row of [
    ...statusOf({ server: server({}) }, { server: server({ inRecovery: true }) }).nodes,
    ...statusOf({}, { directory: { kind: 'absent' } }).nodes,
  ]) {
    expect(Object.keys(row)).toEqual(keys)
  }
})

test('tells a primary and a standby that streams', () => {
  const primary = server({ walSenders: [sender()], pendingRestart: ['max_connections'] })
  const found = statusOf({ server: primary }, { server: server({ inRecovery: true, walReceiver: receiver }) })
  expect(found).toEqual({
    cluster: 'shop',
    primary: 'db1',
    nodes: [
      {
        name: 'db1',
        role: 'primary',
        state: 'running',
        host: '127.0.0.1',
        port: 5441,
        version: '18.4',
        timeline: 3,
        follows: null,
        lsn: '0/3000000',
        lagBytes: null,
        lagMs: null,
        sync: null,
        slot: null,
        pendingRestart: ['max_connections'],
        failedArchiving: null,
        unknown: null,
      },
      {
        name: 'db-2',
        role: 'standby',
        state: 'streaming',
        host: '127.0.0.1',
        port: 5442,
        version: '18.4',
        timeline: 3,
        follows: 'db1',
        lsn: '0/3000000',
        lagBytes: 0,
        lagMs: 0,
        sync: 'async',
        slot: 'db_2',
        pendingRestart: [],
        failedArchiving: null,
        unknown: null,
      },
    ],
  })
})

describe('the lag of a standby', () => {
  const ahead = { lsn: parseLsn('0/3000100') }
  const lag = (row: NodeStatus | undefined) => [row?.lagBytes, row?.lagMs]

  test('is nothing on an idle primary, however long ago the last transaction was', () => {
    expect(lag(standby({ sinceLastReplayMs: 9e9 }, { walSenders: [sender()] }))).toEqual([0, 0])
    expect(lag(standby({ sinceLastReplayMs: 9e9, walReceiver: undefined }))).toEqual([0, 0])
  })

  test('is nothing when the standby is seen ahead of its primary', () => {
    expect(lag(standby({ lsn: parseLsn('0/3000200') }, ahead))).toEqual([0, 0])
  })

  test('counts from the later of what the standby and its sender say', () => {
    expect(standby({}, { ...ahead, walSenders: [sender({ replayLsn: parseLsn('0/3000080') })] })?.lagBytes).toBe(0x80)
    expect(standby({}, { ...ahead, walSenders: [sender({ replayLsn: parseLsn('0/2000000') })] })?.lagBytes).toBe(0x100)
  })

  test('is measured by the sender while the standby streams', () => {
    expect(lag(standby({}, { ...ahead, walSenders: [sender({ replayLagMs: 12.6 })] }))).toEqual([256, 13])
  })

  test('has no time while the sender has measured nothing yet', () => {
    expect(lag(standby({}, { ...ahead, walSenders: [sender()] }))).toEqual([256, null])
  })

  test('is the age of what was replayed when the standby is paused, does not stream, or follows another standby', () => {
    const measured = { ...ahead, walSenders: [sender({ replayLagMs: 1 })] }
    expect(lag(standby({ replayPaused: true }, measured))).toEqual([256, 3_600_000])
    expect(lag(standby({ walReceiver: undefined }, measured))).toEqual([256, 3_600_000])
    expect(lag(standby({}, ahead))).toEqual([256, 3_600_000])
    expect(lag(standby({ walReceiver: undefined, sinceLastReplayMs: undefined }, ahead))).toEqual([256, null])
  })

  test('is unknown without a primary, and beside one of another system', () => {
    const alone = statusOf({}, { server: server({ inRecovery: true, walReceiver: receiver }) })
    expect(alone.primary).toBeNull()
    expect(alone.nodes[1]).toMatchObject({
      lagBytes: null,
      lagMs: null,
      unknown: 'no primary can be seen, so nobody knows how far it is behind',
    })
    expect(standby({ systemIdentifier: '7002' })).toMatchObject({
      lagBytes: null,
      unknown: 'it is of system 7002, and the primary of 7001',
    })
  })
})

describe('the state of a standby that is up', () => {
  test.each<[string, string, Partial<RunningServer>, WalSender[]]>([
    ['streaming', 'its sender streams', {}, [sender()]],
    ['streaming', 'it follows somebody who is not the primary', {}, []],
    ['catchup', 'its sender sends old WAL', {}, [sender({ state: 'catchup' })]],
    ['streaming', 'a broken connection lingers at the primary', {}, [sender({ state: 'catchup' }), sender()]],
    ['paused', 'its replay is paused', { replayPaused: true }, [sender()]],
    ['starting', 'its receiver waits', { walReceiver: { ...receiver, status: 'waiting' } }, []],
    ['running', 'it has no receiver', { walReceiver: undefined }, []],
  ])('is %s when %s', (state, _when, own, walSenders) => {
    expect(standby(own, { walSenders })?.state).toBe(state)
  })
})

describe('a node whose server cannot be asked', () => {
  test.each<[string, string, Partial<NodeObservation>]>([
    [
      'starting',
      'it takes no connections: it is starting',
      { server: { kind: 'starting', because: 'it is starting' } },
    ],
    ['unreachable', 'it cannot be asked: no answer', { server: { kind: 'unreachable', because: 'no answer' } }],
    [
      'unreachable',
      'it cannot be looked at: EIO',
      { process: { kind: 'unknown', because: 'EIO' }, server: { kind: 'unreachable', because: 'EIO' } },
    ],
    ['unreachable', 'it cannot be looked at: EACCES', { directory: { kind: 'unknown', because: 'EACCES' } }],
    ['stopped', 'it holds no data yet', { directory: { kind: 'absent' } }],
    ['stopped', 'it holds no data yet', { directory: { kind: 'empty' } }],
    [
      'stopped',
      '/srv/db2 holds no data of PostgreSQL, but a.txt, b.txt',
      { directory: { kind: 'foreign', holds: ['a.txt', 'b.txt'] } },
    ],
    ['stopped', 'it is stopped', { directory: directory('shut down in recovery', true) }],
    [
      'stopped',
      'it is stopped, and it could not listen on its port: another program listens there',
      {
        directory: directory('shut down', true),
        port: { kind: 'taken', reason: 'another program listens there' },
      },
    ],
    [
      'stopped',
      'it is stopped; /srv/db2 was made for db3 of cluster shop',
      { directory: { ...directory('shut down', true), madeFor: { cluster: 'shop', node: 'db3' } } },
    ],
    [
      'failed',
      'it does not run, and it was not shut down: its control file says "in archive recovery"',
      { directory: directory('in archive recovery', true) },
    ],
  ])('is %s: %s', (state, because, change) => {
    expect(silent(change)).toMatchObject({ state, unknown: because, version: null, lsn: null, lagBytes: null })
  })

  test('has the role and the timeline that its files say, and the slot that the primary keeps for it', () => {
    const stopped = { directory: directory('shut down in recovery', true) }
    expect(silent(stopped)).toMatchObject({ role: 'standby', timeline: 3, slot: 'db_2' })
    expect(silent({ directory: directory('shut down', false) })).toMatchObject({ role: 'primary', slot: null })
    expect(silent({ directory: { kind: 'absent' } })).toMatchObject({ role: 'unknown', timeline: null, slot: null })
  })
})

test('a primary that cannot archive is not well', () => {
  const failedArchiving = { file: '000000010000000000000003', times: 4 }
  const standbyWell = { server: server({ inRecovery: true, walReceiver: receiver }) }
  const well = statusOf({ server: server({ walSenders: [sender()] }) }, standbyWell)
  const failing = statusOf({ server: server({ walSenders: [sender()], failedArchiving }) }, standbyWell)
  expect(failing.nodes[0]).toMatchObject({ state: 'running', failedArchiving, unknown: null })
  expect([isHealthy(well), isHealthy(failing)]).toEqual([true, false])
})

describe('the primary', () => {
  test('is the declared one where two run as primaries', () => {
    const found = statusOf({ server: server({}) }, { server: server({}) })
    expect(found.primary).toBe('db1')
    expect(found.nodes.map((row) => row.role)).toEqual(['primary', 'primary'])
  })

  test('is the one that runs as such, also when it was declared as a standby', () => {
    expect(statusOf({}, { server: server({}) }).primary).toBe('db-2')
  })
})

describe('in a chain', () => {
  const chain = loadCluster(
    `cluster: shop
postgres: { version: 18 }
nodes:
  - { name: db1, port: 5441, data: /srv/db1, primary: true }
  - { name: db2, port: 5442, data: /srv/db2 }
  - { name: db3, port: 5443, data: /srv/db3, follows: db2 }
`,
    '/shop/maestra.yaml',
  ).cluster
  if (chain === undefined) throw new Error('the cluster file of this test is wrong')
  const from = (port: number, slot: string) => ({ status: 'streaming', host: '127.0.0.1', port, slot })
  const rowOf3 = (own: Partial<RunningServer>, of2: Partial<RunningServer> = {}) =>
    clusterStatus(chain, {
      nodes: [
        node('db1', { server: server({ walSenders: [sender({ node: 'db2', replayLagMs: 20 })] }) }),
        node('db2', {
          server: server({
            inRecovery: true,
            walReceiver: from(5441, 'db2'),
            walSenders: [sender({ node: 'db3', replayLsn: parseLsn('0/2000000'), replayLagMs: 30 })],
            slots: [{ name: 'db3', physical: true, active: false, walStatus: 'reserved' }],
            ...of2,
          }),
        }),
        node('db3', { server: server({ inRecovery: true, lsn: parseLsn('0/2000000'), ...own }) }),
      ],
      passwords: { superuser: undefined, replication: undefined, nodesWithout: [] },
    }).nodes[2]

  test('a standby is behind the primary, by the times of its whole way', () => {
    const row = { state: 'streaming', follows: 'db2', sync: 'async', slot: 'db3', lagBytes: 16 ** 6, lagMs: 50 }
    expect(rowOf3({ walReceiver: from(5442, 'db3') })).toMatchObject(row)
    expect(rowOf3({ walReceiver: from(5442, 'db3') }, { walSenders: [] })).toMatchObject({ lagMs: 3_600_000 })
    expect(rowOf3({ walReceiver: from(5442, 'db3') }, { applyDelayMs: 9 })).toMatchObject({ lagMs: 3_600_000 })
    const unmeasured = sender({ node: 'db3', replayLsn: parseLsn('0/2000000') })
    expect(rowOf3({ walReceiver: from(5442, 'db3') }, { walSenders: [unmeasured] })).toMatchObject({ lagMs: null })
  })

  test('it is told whom a standby streams from, else whom it is declared to follow', () => {
    expect(rowOf3({ walReceiver: from(5441, 'db3') })).toMatchObject({ follows: 'db1', sync: null })
    expect(rowOf3({ walReceiver: from(9999, 'db3') })).toMatchObject({ follows: null })
    expect(rowOf3({})).toMatchObject({ follows: 'db2', state: 'running', slot: 'db3' })
  })
})

describe('a standby that replays late', () => {
  const late = { applyDelayMs: 3_600_000, lsn: parseLsn('0/2000000'), sinceLastReplayMs: 3_700_000 }
  const sees = { walSenders: [sender({ replayLsn: parseLsn('0/2000000'), replayLagMs: 3 })] }

  test('is delayed, with what it is behind, and never caught up', () => {
    expect(standby(late, sees)).toMatchObject({ state: 'delayed', lagBytes: 16 ** 6, lagMs: 3_700_000, unknown: null })
    expect(standby({ ...late, lsn: parseLsn('0/3000000') })).toMatchObject({ state: 'delayed', lagBytes: 0, lagMs: 0 })
    expect(standby({ ...late, replayPaused: true })).toMatchObject({ state: 'paused' })
  })

  test('is so while it waits without a WAL receiver, as after a restart', () => {
    expect(standby({ ...late, walReceiver: undefined, waitsForDelay: true })).toMatchObject({ state: 'delayed' })
    expect(standby({ ...late, walReceiver: undefined })).toMatchObject({ state: 'running' })
  })

  test('is well', () => {
    const healthy = (own: Partial<RunningServer>) =>
      isHealthy(statusOf({ server: server({}) }, { server: server({ inRecovery: true, ...late, ...own }) }))
    expect(healthy({ walReceiver: receiver })).toBe(true)
    expect(healthy({ walReceiver: undefined, waitsForDelay: true })).toBe(true)
    expect(healthy({ walReceiver: undefined })).toBe(false)
  })
})
