import { expect, it } from 'vitest'
import { parseLsn } from '../../postgres/lsn.js'
import { timelineOf } from '../../postgres/timeline.js'
import { type LogPosition, SeenPosition } from './log-position.js'
import { reduce, topologyOfAddresses } from './reduce.js'
import { positionOn, reaches, satisfies } from './satisfies.js'
import { lsn, primary, standby } from './server-states.fixture.js'
import type { NodeView, Topology } from './topology.js'

/** A primary and a replica that were both seen at 0 ms, with pg_monitor. */
function seenOnce(): { readonly topology: Topology; readonly replica: NodeView; readonly position: LogPosition } {
  const answered = { kind: 'answered', processId: 1 } as const
  const first = { ...answered, address: 'db1', connection: 1, sent: 2, received: 3, state: primary }
  const second = { ...answered, address: 'db2', connection: 4, sent: 5, received: 6, state: standby }
  const one = reduce(topologyOfAddresses(['db1', 'db2']), first, 0)
  const { topology } = reduce(one.topology, second, 0)
  const replica = topology.nodes.get('db2')
  const position = topology.primary && positionOn(topology.primary, lsn)
  if (replica === undefined || position === undefined) throw new Error('unreachable')
  return { topology, replica, position }
}

it('trusts what was seen together with its timeline, also when the primary is silent (T3)', () => {
  const { topology, replica, position } = seenOnce()
  expect(satisfies(replica, position, topology, 500)).toBe('yes')
  expect(satisfies(replica, position, topology, 1500)).toBe('yes')
})

it('does not take the timeline that the watch saw for that of a later look (T3)', () => {
  const { topology, replica, position } = seenOnce()
  const observed = new SeenPosition(parseLsn('0/6000'))
  expect(reaches(replica, observed, position, topology, 500)).toBe('yes')
  expect(reaches(replica, observed, position, topology, 1500)).toBe('unknown')
  expect(reaches(replica, observed, position, topology, 1500, timelineOf(1))).toBe('yes')
  expect(reaches(replica, observed, position, topology, 500, timelineOf(2))).toBe('unknown')
})
