import { describe, expect, it } from 'vitest'
import { lsnOf } from '../postgres/lsn.js'
import { timelineOf } from '../postgres/timeline.js'
import type { Floor } from './consistency/floor.js'
import { type Conditions, type Route, route } from './route.js'
import { once, pinned } from './session-state.js'
import { provenRead as read, type Statement } from './statement/statement.js'
import { topologyOfAddresses } from './topology/reduce.js'
import type { Satisfaction } from './topology/satisfies.js'
import type { NodeView, Topology } from './topology/topology.js'

const write: Statement = { ...read, kind: 'row-change', reason: 'row-change', mayWrite: true }

const at: Floor = {
  kind: 'at',
  positions: [{ systemIdentifier: '1', timeline: timelineOf(1), lsn: lsnOf(100n) }],
  provisional: false,
}
const none: Floor = { kind: 'none' }
const uncertain: Floor = { kind: 'uncertain', positions: [], lost: false }
const pending = { kind: 'pending', since: 1 } as unknown as Floor

/** A primary db1 and replicas, each with what it is said to be. */
function cluster(replicas: Readonly<Record<string, Partial<NodeView>>>, primary = true): Topology {
  const empty = topologyOfAddresses([...new Set(['db1', ...Object.keys(replicas)])])
  const nodes = new Map<string, NodeView>()
  for (const [address, node] of empty.nodes) {
    const role = address === 'db1' ? 'primary' : 'replica'
    nodes.set(address, { ...node, role, answers: true, ...replicas[address] })
  }
  return { ...empty, nodes, primary: primary ? nodes.get('db1') : undefined, primaryState: primary ? 'known' : 'away' }
}

type World = {
  readonly has?: Readonly<Record<string, Satisfaction>>
  readonly waits?: Readonly<Record<string, number>>
  readonly load?: Readonly<Record<string, number>>
} & Partial<Conditions>

function conditions({ has = {}, waits = {}, load = {}, ...others }: World): Conditions {
  return {
    excluded: new Set(),
    inFlight: (address) => load[address] ?? 0,
    satisfies: ({ address }) => has[address] ?? 'no',
    expectedWaitMs: (address) => waits[address] ?? 0,
    budgetMs: 20,
    maxLagMs: Number.POSITIVE_INFINITY,
    whenPrimaryAway: 'serve',
    sticky: undefined,
    ...others,
  }
}

/** As words: where, and why. */
function said(answer: Route): string {
  switch (answer.kind) {
    case 'primary':
      return `primary: ${answer.reason}`
    case 'replica':
      return `${answer.address} ${answer.check}: ${answer.reason}`
    case 'parked':
      return `parked on ${answer.address}: ${answer.reason}`
    case 'wait':
      return `waits for the ${answer.awaited}`
  }
}

const two = { db2: {}, db3: {} }

describe('route', () => {
  it('sends what is no proven read to the primary, with the reason of the classifier', () => {
    expect(said(route(write, once, cluster(two), none, conditions({})))).toBe('primary: row-change')
  })

  it('keeps a client that has a connection on the primary', () => {
    const world = conditions({ has: { db2: 'yes' } })
    expect(said(route(read, pinned('statement'), cluster(two), none, world))).toBe('primary: pinned')
  })

  it('has one server answer everything', () => {
    expect(said(route(read, once, cluster({}), at, conditions({})))).toBe('primary: single-server')
  })

  it.each<[string, Floor, World, string]>([
    ['a replica that has it', at, { has: { db2: 'not-yet', db3: 'yes' } }, 'db3 known: replica-has-it'],
    [
      'of two that have it the one with less to do',
      at,
      { has: { db2: 'yes', db3: 'yes' }, load: { db2: 2, db3: 1 } },
      'db3 known: replica-has-it',
    ],
    [
      'the one that it was on, where it is to stay',
      at,
      { has: { db2: 'yes', db3: 'yes' }, load: { db2: 9 }, sticky: 'db2' },
      'db2 known: replica-has-it',
    ],
    [
      'not the one that it was on when that lacks it',
      at,
      { has: { db2: 'not-yet', db3: 'yes' }, sticky: 'db2' },
      'db3 known: replica-has-it',
    ],
    ['one that should have it by now: it is asked', at, { has: { db2: 'not-yet' } }, 'db2 observed: replica-observed'],
    [
      'one that will have it within the budget: that is waited for',
      at,
      { has: { db2: 'not-yet' }, waits: { db2: 19 } },
      'parked on db2: replica-waited-for',
    ],
    [
      'of two the one that will be there sooner',
      at,
      { has: { db2: 'not-yet', db3: 'not-yet' }, waits: { db2: 9, db3: 5 } },
      'parked on db3: replica-waited-for',
    ],
    [
      'the primary at once when none will be there in time',
      at,
      { has: { db2: 'not-yet', db3: 'not-yet' }, waits: { db2: 50, db3: 21 } },
      'primary: replicas-behind',
    ],
    [
      'the primary when the budget is used up',
      at,
      { has: { db2: 'not-yet' }, waits: { db2: 1 }, budgetMs: 0 },
      'primary: replicas-behind',
    ],
    [
      'the primary when nobody knows whose history a replica is on',
      at,
      { has: { db2: 'unknown', db3: 'no' } },
      'primary: history-unknown',
    ],
    [
      'the primary when all were tried',
      at,
      { has: { db2: 'yes', db3: 'yes' }, excluded: new Set(['db2', 'db3']) },
      'primary: no-replica',
    ],
    ['nothing before the position of a commit is known', pending, { has: { db2: 'yes' } }, 'waits for the capture'],
    [
      'nothing before the position of a commit is known while one replica may have it in time',
      pending,
      { waits: { db2: 50, db3: 5 } },
      'waits for the capture',
    ],
    [
      'the primary at once, before the position of a commit is known, when no replica will have it in time',
      pending,
      { waits: { db2: 50, db3: 21 } },
      'primary: replicas-behind',
    ],
    [
      'nothing before the position of a commit is known when late replicas may not be used',
      pending,
      { waits: { db2: 50, db3: 21 }, excluded: new Set(['db2', 'db3']) },
      'waits for the capture',
    ],
    [
      'the primary when nobody knows where its writes stand',
      uncertain,
      { has: { db2: 'not-yet' } },
      'primary: writes-uncertain',
    ],
  ])('gives a read %s (R1)', (_what, floor, world, expected) => {
    expect(said(route(read, once, cluster(two), floor, conditions(world)))).toBe(expected)
  })

  it.each<[string, Partial<NodeView>]>([
    ['is ejected', { ejected: { reason: 'hung', sinceMs: 0, failures: 1, retryAtMs: 1 } }],
    ['is behind a pooler (R4)', { pooler: true }],
    ['is later than it may be', { lagMs: 101 }],
    ['is no replica', { role: 'former-primary' }],
  ])('does not use a node that %s', (_what, node) => {
    const world = conditions({ has: { db2: 'yes' }, maxLagMs: 100 })
    expect(said(route(read, once, cluster({ db2: node }), at, world))).toBe('primary: no-replica')
  })

  it('has a primary behind a pooler answer all reads (R4)', () => {
    const world = conditions({ has: { db2: 'yes' } })
    expect(said(route(read, once, cluster({ db1: { pooler: true }, db2: {} }), at, world))).toBe(
      'primary: pooler-in-between',
    )
  })

  it('goes on with the replicas while no primary answers, or waits where that was asked for (T4)', () => {
    const away = cluster(two, false)
    expect(said(route(read, once, away, pending, conditions({ waits: { db2: 50, db3: 50 } })))).toBe(
      'waits for the capture',
    )
    const has: World = { has: { db2: 'yes', db3: 'not-yet' } }
    expect(said(route(read, once, away, at, conditions(has)))).toBe('db2 known: primary-away')
    expect(said(route(read, once, away, at, conditions({ ...has, whenPrimaryAway: 'wait' })))).toBe(
      'waits for the primary',
    )
    expect(said(route(read, once, away, at, conditions({})))).toBe('waits for the primary')
    expect(said(route(read, once, away, uncertain, conditions({ has: { db3: 'yes' } })))).toBe(
      'db3 known: primary-away',
    )
  })
})
