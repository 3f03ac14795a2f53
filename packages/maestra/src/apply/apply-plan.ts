import { MaestraError, messageOf } from '@maestra/client/base/error'
import { type DeclaredCluster, standbysOf, upstreamsOf } from '../cluster/declared-cluster.js'
import type { NodeObservation, Observation } from '../cluster/observation.js'
import { changedSince } from '../plan/changed-since.js'
import { hasReadFiles } from '../plan/has-read-files.js'
import { withoutLateProgress } from '../plan/late-progress.js'
import { outcomeOf, type Plan } from '../plan/plan.js'
import { planCluster } from '../plan/plan-cluster.js'
import { restartReasons } from '../plan/restart-reasons.js'
import type { Step } from '../plan/step.js'
import { stepReason, stepTitle } from '../plan/step-title.js'
import { removeTrials } from '../server/configuration-trial.js'
import { KeptConnections } from '../server/connection.js'
import type { ReceiveCopy } from '../server/copy-primary.js'
import { removeLeftover } from '../server/incoming.js'
import { initdb } from '../server/initdb.js'
import { observeCluster } from '../server/observe-cluster.js'
import { forgetSettingsBefore } from '../server/settings-before.js'
import type { Site } from '../server/site.js'
import { type ApplyLock, acquireLock } from './apply-lock.js'
import { runInLanes } from './run-in-lanes.js'
import { runStep } from './run-step.js'
import { stepContext } from './step-context.js'
import type { Initialise, Progress } from './step-runner.js'
import { tryConfigurations } from './try-configurations.js'

export type ApplyOptions = {
  readonly site: Site
  readonly cluster: DeclaredCluster
  /** How a new primary is made; initdb unless told otherwise. */
  readonly initialise?: Initialise
  /** How a standby gets the data of its primary; by a base backup unless told otherwise. */
  readonly receiveCopy?: ReceiveCopy
  /** Whether new settings are tried before they are written; they are unless told otherwise. */
  readonly triesSettings?: boolean
  /** How many standbys are worked on at once; one step at a time unless told otherwise. */
  readonly lanes?: number
  readonly onEvent?: (event: ApplyEvent) => void
  readonly signal?: AbortSignal
}

export type ApplyEvent =
  | { readonly kind: 'step-started'; readonly step: Step; readonly index: number; readonly count: number }
  | { readonly kind: 'step-progressed'; readonly step: Step; readonly progress: Progress }
  | { readonly kind: 'step-ended'; readonly step: Step; readonly result: 'done' | 'already'; readonly tookMs: number }

/**
 * Carries out a plan that was confirmed: takes the lock, looks again, runs the steps, looks again, and must find nothing
 * left. Throws when the cluster is not what was planned for any more.
 */
export async function applyPlan(confirmed: Plan, options: ApplyOptions): Promise<void> {
  refuseUnlessApplicable(confirmed)
  const lock = await acquireLock(options.site.host, options.cluster)
  const connections = new KeptConnections()
  try {
    const before = await look(options, connections)
    const plan = planCluster(options.cluster, before, undefined, confirmed.request)
    refuseUnlessSame(confirmed, plan)
    await removeLeftovers(options, before)
    await runSteps(plan, options, lock, connections)
    const now = await look(options, connections)
    refuseUnlessConverged(planCluster(options.cluster, withoutLateProgress(options.cluster, now, before)))
  } finally {
    await connections.end()
    await lock.release()
  }
}

async function look({ site, cluster }: ApplyOptions, connections: KeptConnections): Promise<Observation> {
  return await observeCluster(site, cluster, { connections })
}

async function runSteps(
  { steps, request }: Plan,
  options: ApplyOptions,
  lock: ApplyLock,
  connections: KeptConnections,
): Promise<void> {
  const emit = options.onEvent ?? (() => {})
  const signal = options.signal ?? new AbortController().signal
  const left = new Set(steps)
  const contextOf = (onProgress: (progress: Progress) => void) =>
    stepContext({
      ...options,
      request,
      connections,
      initialise: options.initialise ?? (({ site, ...rest }) => initdb(site.host, rest)),
      signal,
      onProgress,
    })
  const run = async (step: Step): Promise<void> => {
    signal.throwIfAborted()
    await lock.assertHeld()
    const startedAt = performance.now()
    emit({ kind: 'step-started', step, index: steps.indexOf(step), count: steps.length })
    const result = await runStep(
      step,
      contextOf((progress) => emit({ kind: 'step-progressed', step, progress })),
    )
    left.delete(step)
    emit({ kind: 'step-ended', step, result, tookMs: performance.now() - startedAt })
  }
  try {
    await tryConfigurations(
      steps,
      contextOf(() => {}),
    )
    if (options.lanes === undefined) for (const step of steps) await run(step)
    else await runInLanes(steps, { chains: chainsOf(options.cluster), most: options.lanes }, run)
  } catch (error) {
    throw signal.aborted ? interrupted(signal, [...left]) : error
  }
}

/** The nodes through which each standby receives its WAL. */
function chainsOf(cluster: DeclaredCluster): ReadonlyMap<string, readonly string[]> {
  return new Map(
    standbysOf(cluster).map((standby) => [standby.name, upstreamsOf(cluster, standby).map(({ name }) => name)]),
  )
}

/** What runs of before that were killed left in and beside the data directories. */
async function removeLeftovers({ site, cluster }: ApplyOptions, observation: Observation): Promise<void> {
  for (const node of cluster.nodes) {
    await removeLeftover(site.host, node.data)
    await removeTrials(site.host, node.data)
    const observed = observation.nodes.find(({ name }) => name === node.name)
    if (observed !== undefined && hasTakenSettings(observed)) await forgetSettingsBefore(site.host, node.data)
  }
}

/** Whether its server runs with the settings of its file, and needs none of before. */
function hasTakenSettings({ directory, server }: NodeObservation): boolean {
  if (directory.kind !== 'data' || server.kind !== 'up' || !hasReadFiles(directory, server)) return false
  return restartReasons(server, directory.configuration.settings ?? '', []).length === 0
}

function interrupted(signal: AbortSignal, left: readonly Step[]): MaestraError {
  const names = left.map(stepTitle).join('; ')
  return new MaestraError('interrupted', `${messageOf(signal.reason)}; left to do: ${names}`, {
    cause: signal.reason,
    hint: 'maestra apply goes on from there',
  })
}

function refuseUnlessApplicable(plan: Plan): void {
  const against = [...plan.refusals, ...plan.unknowns].map((refusal) => refusal.message)
  if (against.length === 0) return
  throw new MaestraError(plan.refusals.length > 0 ? 'plan-refused' : 'plan-incomplete', against.join('; '))
}

function refuseUnlessSame(confirmed: Plan, plan: Plan): void {
  const change = changedSince(confirmed, plan)
  if (change === undefined) return
  throw new MaestraError(
    'plan-outdated',
    `the cluster changed after the plan was made, so nothing was done; ${change}`,
    { hint: 'look at the new plan: maestra plan' },
  )
}

function refuseUnlessConverged(plan: Plan): void {
  const outcome = outcomeOf(plan)
  if (outcome === 'nothing') return
  const left = [...plan.refusals, ...plan.unknowns].map((refusal) => refusal.message)
  const steps = plan.steps.map((step) => `${stepTitle(step)} (${stepReason(step)})`)
  throw new MaestraError('not-converged', `every step was done, and this is left: ${[...left, ...steps].join('; ')}`, {
    hint: 'run maestra apply again',
  })
}
