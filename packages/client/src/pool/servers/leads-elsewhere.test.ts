import { describe, expect, it } from 'vitest'
import type { NodeView } from '../../routing/topology/topology.js'
import type { ServerConnection } from '../connections/server-connection.js'
import { leadsElsewhere } from './leads-elsewhere.js'

const run = { systemIdentifier: '7001', startedAt: '10:00' }
const watched = { ...run, connection: 10, pooler: false }
const opened = { number: 20, identity: run, isPooled: false }

function leads(connection: object, view: object = {}): boolean {
  return leadsElsewhere(
    { ...opened, ...connection } as unknown as ServerConnection,
    { ...watched, ...view } as unknown as NodeView,
  )
}

describe('whether a new connection leads elsewhere than the one that watches', () => {
  it.each<[string, boolean, object, object?]>([
    ['to the same run of the same server', false, {}],
    ['to another run', true, { identity: { ...run, startedAt: '11:00' } }],
    ['to another system', true, { identity: { ...run, systemIdentifier: '7002' } }],
    ['through a pooler that came in between', true, { isPooled: true }],
    ['directly, where there was a pooler', true, {}, { pooler: true }],
    ['through the same pooler', false, { isPooled: true }, { pooler: true }],
    // One from before says nothing of where the address leads.
    ['to another run, but opened before', false, { number: 5, identity: { ...run, startedAt: '09:00' } }],
    ['through a pooler, but opened before', false, { number: 5, isPooled: true }],
    ['to a server that nobody watches at the moment', false, { isPooled: true }, { connection: 0 }],
  ])('%s: %s', (_, expected, connection, view) => {
    expect(leads(connection, view)).toBe(expected)
  })
})
