import type { Pool } from '@maestra/client'
import { type Sandbox, startSandbox } from 'maestra'
import type pg from 'pg'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { openWorkspace, type Workspace } from '../../harness/workspace.js'
import { drizzle } from './drizzle.suite.js'
import { kysely } from './kysely.suite.js'
import { maestraPoolOn } from './maestra-pool-on.js'
import { nodePostgresOn } from './node-postgres-on.js'
import type { RoutedSubject } from './query-builders.suite.js'

// As in node-postgres.test.ts.
vi.setConfig({ testTimeout: 15_000 })

let workspace: Workspace
let single: Sandbox
let cluster: Sandbox

beforeAll(async () => {
  workspace = openWorkspace()
  process.env['MAESTRA_CACHE'] = workspace.cache
  // What a case that failed left open ends by itself, so that no later one waits for its locks.
  const parameters = { idle_in_transaction_session_timeout: '10s' }
  single = await startSandbox({ replicas: 0, parameters })
  cluster = await startSandbox({ replicas: 2, parameters })
})

afterAll(async () => {
  await Promise.all([single?.stop(), cluster?.stop()])
  await workspace.remove()
})

/** It knows one server, so every statement runs there. */
const nodePostgres: RoutedSubject = {
  ...nodePostgresOn(() => single),
  lastServer: () => 'primary',
  readsRunOn: 'primary',
}

const statementsBefore = new WeakMap<pg.Pool, number>()

/** Where the statements went that the pool has run since it was asked before: a replica, when all of them were on replicas. */
function lastServerOf(pool: pg.Pool): 'primary' | 'replica' {
  const { nodes, statements } = (pool as Pool).stats()
  const onReplicas = nodes.filter(({ role }) => role === 'replica').reduce((sum, node) => sum + node.statements, 0)
  const onPrimary = statements - onReplicas
  const isReplica = onPrimary === (statementsBefore.get(pool) ?? 0)
  statementsBefore.set(pool, onPrimary)
  return isReplica ? 'replica' : 'primary'
}

const maestra: RoutedSubject = {
  ...maestraPoolOn(() => cluster, 'a primary and its replicas'),
  lastServer: lastServerOf,
  readsRunOn: 'replica',
}

describe.each([nodePostgres, maestra])('$name', (subject) => {
  kysely(subject)
  drizzle(subject)
})
