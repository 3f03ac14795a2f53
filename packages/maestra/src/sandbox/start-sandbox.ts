import { MaestraError } from '@maestra/client/base/error'
import { type ApplyEvent, applyPlan } from '../apply/apply-plan.js'
import { clusterStatus } from '../cluster/cluster-status.js'
import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { Host } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { planCluster } from '../plan/plan-cluster.js'
import { clusterLocators } from '../server/binaries.js'
import { observeCluster } from '../server/observe-cluster.js'
import { binariesOf, type Site } from '../server/site.js'
import { embeddedLocator } from './embedded-binaries.js'
import { claimPorts } from './ports.js'
import type { Sandbox, SandboxOptions } from './sandbox.js'
import { writeSandboxCluster } from './sandbox-cluster.js'
import { sandboxNodes } from './sandbox-nodes.js'
import { checkedName, type RecordedSandbox, recordSandbox } from './sandbox-record.js'
import { sweep, takeDown } from './take-down.js'
import { initialiseFrom, type Template, template } from './template.js'

/** The PostgreSQL that comes along. */
const sandboxMajor = 18
const mostReplicas = 20

/**
 * Starts a primary and its replicas on this machine: real servers, ready when every replica streams. What a killed owner
 * left is taken down first. Fails as a whole: then nothing of it is left.
 */
export async function startSandbox(
  options: SandboxOptions & { readonly onEvent?: (event: ApplyEvent) => void } = {},
): Promise<Sandbox> {
  const startedAt = performance.now()
  const host = new LocalHost({ sync: false })
  const replicas = checkedReplicas(options.replicas ?? 1)
  const name = checkedName(options.name)
  await sweep(host)
  const site = sandboxSite(host)
  const from = await sandboxTemplate(site)
  const claim = await claimPorts(host, replicas + 1)
  const record = await recordSandbox(host, { name, ports: claim.ports }).catch(async (error) => {
    await claim.release()
    throw error
  })
  try {
    const cluster = await writeSandboxCluster(host, {
      directory: record.record.directory,
      name: record.record.name,
      major: sandboxMajor,
      ports: claim.ports,
      parameters: options.parameters ?? {},
      superuserPassword: from.password,
    })
    await bringUp(site, cluster, from, options)
    return await openSandbox(site, cluster, record, performance.now() - startedAt)
  } catch (error) {
    await takeDown(host, record)
    throw options.signal?.aborted ? options.signal.reason : error
  }
}

function checkedReplicas(replicas: number): number {
  if (Number.isInteger(replicas) && replicas >= 0 && replicas <= mostReplicas) return replicas
  throw new MaestraError('bad-value', `replicas must be a whole number from 0 to ${mostReplicas}, not ${replicas}`)
}

/** The embedded PostgreSQL first: the same on every machine. */
function sandboxSite(host: Host): Site {
  const embedded = embeddedLocator(host)
  return { host, env: {}, locators: (postgres) => [embedded, ...clusterLocators(host, postgres, [])] }
}

async function sandboxTemplate(site: Site): Promise<Template> {
  const binaries = await binariesOf(site, { version: sandboxMajor, bin: undefined })
  if (binaries.kind === 'found') return await template(site.host, binaries)
  throw new MaestraError('no-binaries', `no PostgreSQL ${sandboxMajor} was found in ${binaries.looked.join(', ')}`, {
    hint: 'install the optional dependencies of maestra: npm install --include=optional',
  })
}

/** A sandbox is a cluster file, given to the same plan and apply as any other. */
async function bringUp(
  site: Site,
  cluster: DeclaredCluster,
  from: Template,
  options: SandboxOptions & { readonly onEvent?: (event: ApplyEvent) => void },
): Promise<void> {
  options.signal?.throwIfAborted()
  const plan = planCluster(cluster, await observeCluster(site, cluster))
  await applyPlan(plan, {
    site,
    cluster,
    initialise: initialiseFrom(from),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
}

async function openSandbox(
  site: Site,
  cluster: DeclaredCluster,
  record: RecordedSandbox,
  startedInMs: number,
): Promise<Sandbox> {
  const nodes = await sandboxNodes(site.host, cluster)
  const [primary, ...replicas] = nodes
  if (primary === undefined) throw new Error('a sandbox has a primary')
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= takeDown(site.host, record)
    return stopped
  }
  return {
    name: record.record.name,
    directory: record.record.directory,
    startedInMs: Math.round(startedInMs),
    nodes,
    primary,
    replicas,
    status: async () => clusterStatus(cluster, await observeCluster(site, cluster)),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
