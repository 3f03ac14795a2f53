import { expect, it } from 'vitest'
import { reduce, topologyOfAddresses } from './reduce.js'
import { primary } from './server-states.fixture.js'

it.each([
  ['of the process that answers', 1, false],
  ['of another process', 2, true],
  // Every PostgreSQL names one.
  ['of none', undefined, true],
])('R4: a connection that was told %s: a pooler in between is %s', (_, processId, isPooler) => {
  const answered = { kind: 'answered', address: 'db1', connection: 1, sent: 2, received: 3, state: primary } as const
  const { topology, events } = reduce(topologyOfAddresses(['db1', 'db2']), { ...answered, processId }, 0)
  expect(topology.nodes.get('db1')?.pooler).toBe(isPooler)
  expect(events.some(({ kind }) => kind === 'pooler-in-between')).toBe(isPooler)
})
