import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DeclaredNode } from '../cluster/declared-cluster.js'
import { alikeNodes } from './alike-nodes.js'
import { duplicateNodes } from './rules/duplicate-nodes.js'

const node = fc.record({
  name: fc.constantFrom('a-b', 'a_b', 'a', 'b'),
  host: fc.constantFrom('127.0.0.1', '127.0.0.2', 'localhost', '10.0.0.1', 'db.example'),
  port: fc.constantFrom(5432, 5433),
  data: fc.constantFrom('/', '/srv', '/srv/a', '/srv/ab', '/srv/a/b', '/data'),
  startsAs: fc.constant('standby' as const),
  parameters: fc.constant({}),
})

const findings = (nodes: readonly DeclaredNode[]) =>
  duplicateNodes.check({
    declared: {
      name: 'shop',
      file: '/shop/maestra.yaml',
      postgres: { version: 18, bin: undefined },
      nodes,
      replication: { role: 'replicator', authentication: 'scram-sha-256' },
      baseBackup: { with: 'maestra', checkpoint: 'fast', verify: true, maxRateKb: undefined },
      allow: [],
      passfile: '/shop/maestra.pgpass',
    },
  })

test('no two nodes that share something are overlooked', () => {
  let shared = 0
  fc.assert(
    fc.property(fc.array(node, { maxLength: 6 }), (nodes) => {
      const alike = alikeNodes(nodes)
      for (const [index, later] of nodes.entries())
        for (const before of nodes.slice(0, index)) {
          if (findings([before, later]).length === 0) continue
          shared += 1
          expect(alike.some(([a, b]) => a === before && b === later)).toBe(true)
        }
    }),
  )
  expect(shared).toBeGreaterThan(50)
})

test('of many nodes on hosts of their own no pair is looked at', () => {
  const nodes = Array.from(
    { length: 50 },
    (_, index): DeclaredNode => ({
      name: `db${index}`,
      host: `10.0.0.${index + 1}`,
      port: 5432,
      data: `/srv/db${index}`,
      startsAs: 'standby',
      parameters: {},
    }),
  )
  expect(alikeNodes(nodes)).toEqual([])
})
