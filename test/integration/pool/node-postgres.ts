import { type Sandbox, type SandboxOptions, startSandbox } from 'maestra'
import { afterAll, beforeAll, describe, vi } from 'vitest'
import { openWorkspace, type Workspace } from '../../harness/workspace.js'
import { client } from './client.suite.js'
import { cursors } from './cursors.suite.js'
import { errors } from './errors.suite.js'
import { parameters } from './parameters.suite.js'
import { poolClients } from './pool-clients.suite.js'
import { poolEnd } from './pool-end.suite.js'
import { poolEvents } from './pool-events.suite.js'
import { poolLimits } from './pool-limits.suite.js'
import { poolQueries } from './pool-queries.suite.js'
import { results } from './results.suite.js'
import { settings } from './settings.suite.js'
import type { Subject } from './subject.js'
import { submittables } from './submittables.suite.js'
import { tls } from './tls.suite.js'
import { transactions } from './transactions.suite.js'
import { types } from './types.suite.js'

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

/** Registers every case of node-postgres' behaviour for a subject, on a sandbox of its own. */
export function behavesAsNodePostgres(replicas: number, subjectOn: (sandbox: () => Sandbox) => Subject): void {
  // What node-postgres never answers is to be seen soon: no case takes a second.
  vi.setConfig({ testTimeout: 15_000 })

  let workspace: Workspace
  let sandbox: Sandbox

  beforeAll(async () => {
    workspace = openWorkspace()
    process.env['MAESTRA_CACHE'] = workspace.cache
    // What a case that failed left open ends by itself, so that no later one waits for its locks.
    const options: SandboxOptions = { replicas, parameters: { idle_in_transaction_session_timeout: '10s' } }
    sandbox = await startSandbox(options)
  })

  afterAll(async () => {
    await sandbox?.stop()
    await workspace.remove()
  })

  const subject = subjectOn(() => sandbox)
  describe(subject.name, () => {
    for (const suite of suites) suite(subject)
  })
}
