import { describe, expect, it } from 'vitest'
import { nowMs } from '../../base/clock.js'
import { parseLsn } from '../../postgres/lsn.js'
import type { Floor } from '../../routing/consistency/floor.js'
import { reduce, topologyOfAddresses } from '../../routing/topology/reduce.js'
import { lsn, primary, standby, timeline } from '../../routing/topology/server-states.fixture.js'
import type { Topology } from '../../routing/topology/topology.js'
import type { ServerConnection } from '../connections/server-connection.js'
import { FloorSight } from './floor-sight.js'

const floor: Floor = { kind: 'at', positions: [{ systemIdentifier: '7001', timeline, lsn }], provisional: false }

/** A primary and a replica, which was seen at 0/5000 by the look with the number 50. */
function seenAt50(): Topology {
  const atMs = nowMs()
  const answered = { kind: 'answered', processId: 1 } as const
  const first = { ...answered, address: 'db1', connection: 1, sent: 2, received: 3, state: primary }
  const second = { ...answered, address: 'db2', connection: 4, sent: 50, received: 51, state: standby }
  return reduce(reduce(topologyOfAddresses(['db1', 'db2']), first, atMs).topology, second, atMs).topology
}

type Differences = {
  readonly number?: number
  readonly systemIdentifier?: string
  readonly startedAt?: string
  readonly saw?: string
}

/** A connection of the pool to db2 that is old enough to know what was seen there, but for the differences. */
function connectionThat({ number = 40, systemIdentifier = '7001', startedAt = '10:01', saw }: Differences) {
  return {
    node: { address: 'db2' },
    number,
    identity: { systemIdentifier, startedAt, inRecovery: true },
    observed: saw === undefined ? undefined : { replayed: parseLsn(saw), at: number + 1, timeline },
    isPooled: false,
    isBroken: false,
  } as unknown as ServerConnection
}

describe('R2: whether a connection has what was seen of its node', () => {
  it.each<[of: string, holds: 'yes' | 'ask' | 'no', differences: Differences]>([
    ['opened before the look', 'yes', {}],
    ['opened after it', 'ask', { number: 60 }],
    ['opened after it that saw as much', 'yes', { number: 60, saw: '0/5000' }],
    ['opened after it that saw less', 'ask', { number: 60, saw: '0/4000' }],
    ['to another run of the server', 'no', { startedAt: '09:00' }],
    ['to another system', 'no', { systemIdentifier: '7002' }],
    // However far it is: its position is not one of the history that the floor is on.
    ['to another run that saw more', 'no', { startedAt: '09:00', saw: '0/9000' }],
    ['to another system that saw more', 'no', { systemIdentifier: '7002', saw: '0/9000' }],
  ])('R2: one %s: %s', (_, holds, differences) => {
    const topology = seenAt50()
    expect(new FloorSight(() => topology).holds(connectionThat(differences), floor)).toBe(holds)
  })
})

describe('R2: what a connection of the application has seen of a node', () => {
  const behind: Floor = {
    ...floor,
    positions: [{ systemIdentifier: '7001', timeline, lsn: parseLsn('0/8000') }],
  } as Floor

  /** The watch has seen 0/5000 with the look 50; a connection that was opened at 60 has seen 0/9000 with the look 61. */
  function seen(differences: Differences = {}): FloorSight {
    const topology = seenAt50()
    const sight = new FloorSight(() => topology)
    sight.seen(connectionThat({ number: 60, saw: '0/9000', ...differences }))
    return sight
  }

  it('R2: counts on those that were open before it looked', () => {
    expect(seen().holds(connectionThat({ number: 40 }), behind)).toBe('yes')
  })

  it('R2: does not count on those that were opened later, also where the watch has looked since', () => {
    const sight = seen({ number: 20 })
    // Opened after the look 21 of the other one, and before the look 50 of the watch, which saw less.
    expect(sight.holds(connectionThat({ number: 40 }), behind)).toBe('ask')
    expect(seen().holds(connectionThat({ number: 70 }), behind)).toBe('ask')
  })

  it('counts for the choice of the node', () => {
    const topology = seenAt50()
    const node = topology.nodes.get('db2')
    if (node === undefined) throw new Error('no node')
    const sight = new FloorSight(() => topology)
    expect(sight.satisfies(node, behind)).toBe('not-yet')
    sight.seen(connectionThat({ number: 60, saw: '0/9000' }))
    expect(sight.satisfies(node, behind)).toBe('yes')
  })

  it('R2: counts no more when that connection has ended', () => {
    const sight = seen()
    sight.lost(connectionThat({ number: 59 }))
    expect(sight.holds(connectionThat({ number: 40 }), behind)).toBe('yes')
    sight.lost(connectionThat({ number: 60 }))
    expect(sight.holds(connectionThat({ number: 40 }), behind)).toBe('ask')
  })

  it.each([{ startedAt: '09:00' }, { systemIdentifier: '7002' }])(
    'does not count when it is of another run: %o',
    (run) => {
      const topology = seenAt50()
      const sight = new FloorSight(() => topology)
      sight.seen(connectionThat({ number: 60, saw: '0/9000', ...run }))
      expect(sight.holds(connectionThat({ number: 40 }), behind)).toBe('ask')
    },
  )

  it('R3: is the only thing that rows are held against which were read before others looked', () => {
    const sight = seen()
    expect(sight.hasSeen(connectionThat({ number: 40, saw: '0/7000' }), behind)).toBe(false)
    expect(sight.hasSeen(connectionThat({ number: 40, saw: '0/8000' }), behind)).toBe(true)
    expect(sight.hasSeen(connectionThat({ number: 40 }), behind)).toBe(false)
    expect(sight.hasSeen(connectionThat({ number: 40, saw: '0/9000', startedAt: '09:00' }), behind)).toBe(false)
  })
})
