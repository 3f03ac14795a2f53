import { MaestraError } from '@maestra/client/base/error'
import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { PlanRequest } from '../plan/plan.js'
import type { Binaries } from '../server/binaries.js'
import type { KeptConnections } from '../server/connection.js'
import type { ReceiveCopy } from '../server/copy-primary.js'
import { observePasswords } from '../server/passfile.js'
import { binariesOf, type Site } from '../server/site.js'
import type { Initialise, Progress, StepContext } from './step-runner.js'

/** What steps use, looked up once where it cannot change while they run. */
export function stepContext(options: {
  readonly site: Site
  readonly cluster: DeclaredCluster
  readonly request?: PlanRequest | undefined
  readonly initialise: Initialise
  readonly receiveCopy?: ReceiveCopy
  readonly triesSettings?: boolean
  readonly connections: KeptConnections
  readonly onProgress: (progress: Progress) => void
  readonly signal: AbortSignal
}): StepContext {
  const { site, cluster } = options
  return {
    ...options,
    request: options.request ?? {},
    triesSettings: options.triesSettings ?? true,
    node: (name) => {
      const found = cluster.nodes.find((node) => node.name === name)
      if (found === undefined) throw new Error(`a step names the node ${name}, which is not declared`)
      return found
    },
    binaries: () => requireBinaries(site, cluster),
    passwords: () => observePasswords(site, cluster),
  }
}

async function requireBinaries(site: Site, cluster: DeclaredCluster): Promise<Binaries> {
  const found = await binariesOf(site, cluster.postgres)
  if (found.kind === 'found') return found
  throw new MaestraError(
    'no-binaries',
    `no PostgreSQL ${cluster.postgres.version} programs were found in ${found.looked.join(', ')}`,
    { hint: 'install them, or name their directory as postgres.bin in the cluster file' },
  )
}
