import { describe, expect, it } from 'vitest'
import type { Topology } from '../../routing/topology/topology.js'
import type { Acquired, NodeConnections } from '../connections/node-connections.js'
import type { ServerConnection } from '../connections/server-connection.js'
import { Primary } from './primary.js'

const view = { address: 'db1:5432', systemIdentifier: '7', startedAt: 'then' }
const known = { primary: view, primaryState: 'known', nodes: new Map() } as unknown as Topology
const none = { primary: undefined, primaryState: 'away', nodes: new Map() } as unknown as Topology

/** A primary whose connections open or fail as `outcomes` say, one after the other. */
function primaryWith(topology: Topology, outcomes: (Error | undefined)[]) {
  const waits: number[] = []
  const node = {
    address: view.address,
    acquire: (acquired: Acquired) => {
      const error = outcomes.shift()
      const connection = { node, identity: view, isBroken: false } as unknown as ServerConnection
      acquired(error, error === undefined ? connection : undefined)
    },
  } as unknown as NodeConnections
  const primary = new Primary(
    {
      topology: () => topology,
      nodeOf: () => node,
      // Nothing changes: the time is over at once.
      whenChanged: (timeoutMs, told) => {
        waits.push(timeoutMs)
        if (waits.length < 4) told()
      },
      refusal: () => undefined,
      report: () => {},
    },
    10_000,
  )
  return { primary, waits }
}

const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

describe('Primary', () => {
  it('tries again soon when a connection was reset and the servers are what they were', () => {
    const { primary, waits } = primaryWith(known, [reset, reset, undefined])
    const told: unknown[] = []
    primary.acquire((error, connection) => told.push(error, connection?.node.address))
    expect(told).toEqual([undefined, 'db1:5432'])
    expect(waits).toEqual([200, 200])
  })

  it('waits for a change while no primary is known', () => {
    const { primary, waits } = primaryWith(none, [])
    primary.acquire(() => {})
    expect(waits[0]).toBeGreaterThan(9000)
  })

  it('gives up at once what another try would not open either', () => {
    const refused = Object.assign(new Error('no'), { code: '28P01' })
    const { primary, waits } = primaryWith(known, [refused])
    const told: unknown[] = []
    primary.acquire((error) => told.push(error))
    expect([told, waits]).toEqual([[refused], []])
  })

  it.each([
    ['nobody knew of one', false, false],
    ['it is known of', true, true],
  ])('R4: takes a connection through a pooler where %s: %s', (_, pooler, expected) => {
    const { primary } = primaryWith({ ...known, primary: { ...view, pooler } } as unknown as Topology, [])
    const connection = { node: { address: view.address }, identity: view, isBroken: false, isPooled: true }
    expect(primary.isPrimary(connection as unknown as ServerConnection)).toBe(expected)
  })
})
