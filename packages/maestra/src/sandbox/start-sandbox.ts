import { MaestraError } from '@maestra/client/base/error'
import { newestMajor, oldestMajor, type ServerVersionMajor } from '@maestra/client/postgres/version'
import { applyPlan } from '../apply/apply-plan.js'
import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { Host } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { planCluster } from '../plan/plan-cluster.js'
import { observeCluster } from '../server/observe-cluster.js'
import { binariesOf, type Site } from '../server/site.js'
import { repairCache } from './cache/cache-entry.js'
import { checkOptions } from './check-options.js'
import { installCommand } from './installed-binaries.js'
import { startKeeper } from './keeper/keeper-process.js'
import { liveSandbox } from './live-sandbox.js'
import { claimPorts } from './ports.js'
import type { Sandbox } from './sandbox.js'
import { linksOf, writeSandboxCluster } from './sandbox-cluster.js'
import { areLowerThanTemplate, checkedParameters } from './sandbox-parameters.js'
import { checkedName, disownSandbox, isTakenDown, recordSandbox } from './sandbox-record.js'
import { sandboxSite } from './sandbox-site.js'
import type { StartOptions } from './start-options.js'
import { sweep, takeDownOwn } from './take-down.js'
import { initialiseFrom, receiveFrom, type Template, template } from './template.js'

/** The PostgreSQL that comes along. */
const ownMajor = 18
const mostReplicas = 20
/** More would only wait for each other. */
const standbysAtOnce = 4
/** Another program may take a port between its choice and its use; three times in a row is no accident. */
const mostAttempts = 3

/**
 * Starts a primary and its replicas on this machine: real servers, ready when every replica streams. What a killed owner
 * left is taken down first. Fails as a whole: then nothing of it is left.
 */
export async function startSandbox(options: StartOptions = {}): Promise<Sandbox> {
  const startedAt = performance.now()
  checkOptions(options)
  const host = new LocalHost({ sync: false })
  const wanted: Wanted = {
    ...options,
    replicas: checkedReplicas(options.replicas ?? 1),
    name: checkedName(options.name),
    version: checkedVersion(options.version ?? ownMajor),
    parameters: checkedParameters(options.parameters ?? {}),
  }
  await sweep(host)
  for (let attempt = 1; ; attempt += 1) {
    const ports: number[] = []
    try {
      return await attemptStart(host, wanted, ports, startedAt)
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason
      // Who had it taken down wants no other in its place.
      if (error instanceof MaestraError && error.code === 'interrupted') throw error
      const mayRetry = (await anyTaken(host, ports)) || (await repairCache(host))
      if (!mayRetry || attempt === mostAttempts) throw error
    }
  }
}

type Wanted = Omit<StartOptions, 'replicas' | 'name' | 'version' | 'parameters'> & {
  readonly replicas: number
  readonly name: string | undefined
  readonly version: ServerVersionMajor
  readonly parameters: Readonly<Record<string, string>>
}

/** `ports` tells which ones it took, also when it fails. */
async function attemptStart(host: Host, wanted: Wanted, ports: number[], startedAt: number): Promise<Sandbox> {
  const { replicas, name, version, signal } = wanted
  const site = sandboxSite(host)
  const from = await sandboxTemplate(site, version)
  // For each node a server, for each replica a link, and the keeper's door.
  const claim = await claimPorts(host, 2 * replicas + 2)
  ports.push(...claim.ports)
  const keeperPort = claim.ports[2 * replicas + 1] ?? 0
  const sandbox = await recordSandbox(host, { name, claim, keeperPort }).catch(async (error) => {
    await claim.release()
    throw error
  })
  try {
    const cluster = await writeSandboxCluster(host, {
      directory: sandbox.record.directory,
      name: sandbox.record.name,
      major: version,
      durable: wanted.durable ?? false,
      ports: claim.ports.slice(0, replicas + 1),
      linkPorts: claim.ports.slice(replicas + 1, 2 * replicas + 1),
      parameters: wanted.parameters,
      superuserPassword: from.password,
    })
    await bothOrNeither(signal, [
      (either) => startKeeper(host, sandbox, linksOf(cluster), either),
      (either) => bringUp(site, cluster, from, { ...wanted, signal: either }),
    ])
    const lasting = wanted.detach ? await disownSandbox(host, sandbox) : sandbox
    return await liveSandbox(site, lasting, performance.now() - startedAt)
  } catch (error) {
    const isTaken = await isTakenDown(host, sandbox)
    await takeDownOwn(host, sandbox)
    if (!isTaken) throw error
    const message = `sandbox ${sandbox.record.name} was taken down while it started`
    throw new MaestraError('interrupted', message, { cause: error })
  }
}

/**
 * Waits for all, also when one has failed: none may go on working on what is taken down then. The others are told to stop:
 * without its link a replica would wait for its primary for minutes.
 */
async function bothOrNeither(
  signal: AbortSignal | undefined,
  work: readonly ((either: AbortSignal) => Promise<unknown>)[],
): Promise<void> {
  const failure = new AbortController()
  const either = AbortSignal.any([failure.signal, ...(signal === undefined ? [] : [signal])])
  await Promise.allSettled(
    work.map((each) =>
      each(either).catch((error) => {
        failure.abort(error)
      }),
    ),
  )
  if (failure.signal.aborted) throw either.reason
}

async function anyTaken(host: Host, ports: readonly number[]): Promise<boolean> {
  const found = await Promise.all(ports.map((port) => host.network.canListen('127.0.0.1', port)))
  return found.some(({ free }) => !free)
}

function checkedReplicas(replicas: number): number {
  if (Number.isInteger(replicas) && replicas >= 0 && replicas <= mostReplicas) return replicas
  throw new MaestraError('bad-value', `replicas must be a whole number from 0 to ${mostReplicas}, not ${replicas}`)
}

function checkedVersion(version: number): ServerVersionMajor {
  if (Number.isInteger(version) && version >= oldestMajor && version <= newestMajor)
    return version as ServerVersionMajor
  throw new MaestraError(
    'bad-value',
    `the version must be a major version of PostgreSQL from ${oldestMajor} to ${newestMajor}, not ${version}`,
  )
}

async function sandboxTemplate(site: Site, version: ServerVersionMajor): Promise<Template> {
  const binaries = await binariesOf(site, { version, bin: undefined })
  if (binaries.kind === 'found') return await template(site.host, binaries)
  throw new MaestraError('no-binaries', `no PostgreSQL ${version} was found in ${binaries.looked.join(', ')}`, {
    hint:
      version === ownMajor
        ? 'install the optional dependencies of maestra: npm install --include=optional'
        : `${installCommand(version)}   (or PostgreSQL ${version} of your distribution)`,
  })
}

/** A sandbox is a cluster file, given to the same plan and apply as any other. */
async function bringUp(site: Site, cluster: DeclaredCluster, from: Template, wanted: Wanted): Promise<void> {
  const { onEvent, signal } = wanted
  signal?.throwIfAborted()
  const plan = planCluster(cluster, await observeCluster(site, cluster))
  await applyPlan(plan, {
    site,
    cluster,
    initialise: initialiseFrom(from),
    // Else by a base backup, as any standby.
    ...(areLowerThanTemplate(wanted.parameters) ? {} : { receiveCopy: receiveFrom(site.host, from) }),
    lanes: standbysAtOnce,
    // What its servers reject, their start says as well: then nothing of it is left.
    triesSettings: false,
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(signal === undefined ? {} : { signal }),
  })
}
