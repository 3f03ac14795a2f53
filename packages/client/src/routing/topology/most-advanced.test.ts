import { expect, it } from 'vitest'
import { parseLsn } from '../../postgres/lsn.js'
import { timelineOf } from '../../postgres/timeline.js'
import { SeenPosition } from './log-position.js'
import { topologyOfAddresses } from './reduce.js'
import { mostAdvanced } from './satisfies.js'
import type { NodeView } from './topology.js'

const seen = (lsn: string) => new SeenPosition(parseLsn(lsn))

function replica(address: string, replayed: string, received: string, changed: Partial<NodeView> = {}): NodeView {
  return {
    address,
    role: 'replica',
    answers: true,
    readOnly: true,
    receiverSeen: false,
    pooler: false,
    connection: 1,
    diverged: false,
    systemIdentifier: '7001',
    startedAt: '10:00',
    passedTimeline: timelineOf(1),
    replayed: { lsn: seen(replayed), at: 1, before: 2 },
    received: seen(received),
    ...changed,
  }
}

function among(...nodes: readonly NodeView[]): string | undefined {
  const topology = topologyOfAddresses([])
  const known = new Map(nodes.map((node) => [node.address, node]))
  return mostAdvanced({ ...topology, nodes: known, memory: { ...topology.memory, systemIdentifier: '7001' } })?.address
}

it('is the replica that is furthest of those that replayed all that they received (T4)', () => {
  expect(among(replica('db2', '0/5000', '0/5000'), replica('db3', '0/6000', '0/6000'))).toBe('db3')
  expect(among(replica('db2', '0/5000', '0/5000'), replica('db3', '0/6000', '0/6100'))).toBe('db2')
  expect(
    among(replica('db2', '0/5000', '0/5000', { passedTimeline: timelineOf(2) }), replica('db3', '0/6000', '0/6000')),
  ).toBe('db2')
})

it.each<[string, Partial<NodeView>]>([
  ['does not answer', { answers: false }],
  ['is no replica', { role: 'former-primary' }],
  ['is of another system', { systemIdentifier: '9009' }],
  ['diverged', { diverged: true }],
  ['is behind a pooler', { pooler: true }],
])('is never one that %s', (_what, changed) => {
  expect(among(replica('db2', '0/5000', '0/5000', changed))).toBeUndefined()
})
