import { type Sandbox, startSandbox } from 'maestra'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { openWorkspace, type Workspace } from '../../harness/workspace.js'
import { client } from './client.suite.js'
import { cursors } from './cursors.suite.js'
import { errors } from './errors.suite.js'
import { maestraPoolOn } from './maestra-pool-on.js'
import { nodePostgresOn } from './node-postgres-on.js'
import { parameters } from './parameters.suite.js'
import { poolClients } from './pool-clients.suite.js'
import { poolEnd } from './pool-end.suite.js'
import { poolEvents } from './pool-events.suite.js'
import { poolLimits } from './pool-limits.suite.js'
import { poolQueries } from './pool-queries.suite.js'
import { results } from './results.suite.js'
import { settings } from './settings.suite.js'
import { submittables } from './submittables.suite.js'
import { tls } from './tls.suite.js'
import { transactions } from './transactions.suite.js'
import { types } from './types.suite.js'

// What node-postgres never answers is to be seen soon: no case takes a second.
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

const suites = [
  poolQueries,
  poolClients,
  poolEvents,
  poolLimits,
  poolEnd,
  settings,
  client,
  transactions,
  results,
  types,
  parameters,
  errors,
  submittables,
  cursors,
  tls,
]

const subjects = [
  nodePostgresOn(() => single),
  maestraPoolOn(() => single, 'a single server'),
  maestraPoolOn(() => cluster, 'a primary and its replicas'),
]

describe.each(subjects)('$name', (subject) => {
  for (const suite of suites) suite(subject)
})
