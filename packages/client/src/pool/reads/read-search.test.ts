import { expect, it } from 'vitest'
import type { Floor } from '../../routing/consistency/floor.js'
import type { Route } from '../../routing/route.js'
import { provenRead } from '../../routing/statement/statement.js'
import { ReadCost } from '../connections/lanes/read-cost.js'
import type { PoolScope } from '../sessions/scopes.js'
import { ReadSearch, type Search, type SearchHost, searchFor } from './read-search.js'

it('does not go to a replica that was ejected while the read waited for it: one that hangs answers nobody who connects', () => {
  const ejected = new Set<string>()
  const due: (() => void)[] = []
  const entered: string[] = []
  const found: unknown[] = []
  const seat = { connection: { node: { address: 'db3' } } }
  const toReplica = (address: string): Route => ({
    kind: 'replica',
    address,
    check: 'observed',
    reason: 'replica-observed',
  })
  const host = {
    nodeOf: (address: string) => ({
      isUnfit: false,
      lanes: {
        enter: (_: ReadCost, told: (error: undefined, seat: unknown) => void) => {
          entered.push(address)
          told(undefined, seat)
        },
      },
    }),
    isEjected: (address: string) => ejected.has(address),
    route: ({ excluded }: Search) => toReplica(excluded.has('db2') ? 'db3' : 'db2'),
    holds: () => 'yes',
    parkMs: 20,
    counters: { parkedTotal: 0, parkedMs: 0 },
    parking: {
      isDue: (address: string) => address === 'db3',
      whenDue: (_address: string, _floor: Floor, _budgetMs: number, told: (waitedMs: number) => void) =>
        void due.push(() => told(1)),
    },
  } as unknown as SearchHost
  const floor: Floor = { kind: 'at', positions: [], provisional: false }
  new ReadSearch(host).find(searchFor(provenRead, {} as PoolScope, floor, new ReadCost()), (_error, at) => {
    found.push(at)
  })
  expect(due).toHaveLength(1)
  ejected.add('db2')
  for (const wake of due) wake()
  expect(entered).toEqual(['db3'])
  expect(found).toEqual([seat])
})
