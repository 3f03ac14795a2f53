import { type Sandbox, startSandbox } from 'maestra'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { openWorkspace, type Workspace } from '../../harness/workspace.js'
import { drizzle } from './drizzle.suite.js'
import { kysely } from './kysely.suite.js'
import { nodePostgresOn } from './node-postgres-on.js'
import type { RoutedSubject } from './query-builders.suite.js'

// As in node-postgres.test.ts.
vi.setConfig({ testTimeout: 15_000 })

let workspace: Workspace
let single: Sandbox

beforeAll(async () => {
  workspace = openWorkspace()
  process.env['MAESTRA_CACHE'] = workspace.cache
  // What a case that failed left open ends by itself, so that no later one waits for its locks.
  single = await startSandbox({ replicas: 0, parameters: { idle_in_transaction_session_timeout: '10s' } })
})

afterAll(async () => {
  await single?.stop()
  await workspace.remove()
})

/** It knows one server, so every statement runs there. */
const nodePostgres: RoutedSubject = {
  ...nodePostgresOn(() => single),
  lastServer: () => 'primary',
  readsRunOn: 'primary',
}

describe.each([nodePostgres])('$name', (subject) => {
  kysely(subject)
  drizzle(subject)
})
