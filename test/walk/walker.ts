import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { expect, vi } from 'vitest'
import { stepContext } from '../../packages/maestra/src/apply/step-context.js'
import type { StepRunner } from '../../packages/maestra/src/apply/step-runner.js'
import { stepRunners } from '../../packages/maestra/src/apply/step-runners.js'
import { clusterSite } from '../../packages/maestra/src/cli/cluster-site.js'
import { loadCluster } from '../../packages/maestra/src/cluster/load-cluster.js'
import { outcomeOf, type Plan } from '../../packages/maestra/src/plan/plan.js'
import { planCluster } from '../../packages/maestra/src/plan/plan-cluster.js'
import type { Step, StepKind } from '../../packages/maestra/src/plan/step.js'
import { KeptConnections } from '../../packages/maestra/src/server/connection.js'
import { observeCluster } from '../../packages/maestra/src/server/observe-cluster.js'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { maestra } from '../harness/maestra.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'
import {
  expectFurtherApplyToWriteNothing,
  expectKnownNames,
  expectNothingOfMaestraToRun,
  expectNothingTemporary,
} from './expectations.js'
import { inWords, type Kill, killsOf, type Moment } from './moments.js'
import { NumberedRows } from './numbered-rows.js'
import type { Ground, Walk } from './walks.js'

const script = fileURLToPath(new URL('apply-until.js', import.meta.url))

/** Steps that bring a moment about and not a state: nothing that lasts tells whether they were done, so their check is true. */
const stateless: readonly StepKind[] = ['reload', 'await-streaming', 'move-aside']

/** What is known of a walk that nobody interrupted. */
export type Recorded = { readonly plan: Plan; readonly kills: readonly Kill[] }

/** Takes walks in one folder, whole or killed, and looks at what they leave. */
export class Walker {
  readonly #workspace: Workspace
  readonly #folder: ClusterFolder
  readonly #rows: NumberedRows
  readonly #recorded = new Map<Walk, Promise<Recorded>>()

  private constructor(workspace: Workspace, folder: ClusterFolder) {
    this.#workspace = workspace
    this.#folder = folder
    this.#rows = new NumberedRows(() => folder.url('db1'))
  }

  static async open(): Promise<Walker> {
    const workspace = openWorkspace()
    // Plans are made in this process, by the programs that the commands of the folder use.
    vi.stubEnv('MAESTRA_CACHE', workspace.cache)
    return new Walker(workspace, await ClusterFolder.open(workspace, 'shop', ['db1', 'db2', 'db3']))
  }

  async close(): Promise<void> {
    vi.unstubAllEnvs()
    await this.#workspace.remove()
  }

  /** The walk without a kill, taken once. */
  async recorded(walk: Walk): Promise<Recorded> {
    const known = this.#recorded.get(walk) ?? this.#record(walk)
    this.#recorded.set(walk, known)
    return await known
  }

  async #record(walk: Walk): Promise<Recorded> {
    const plan = await this.#begin(walk)
    const run = await this.#rows.writeDuring(() => this.#apply())
    expect(run).toMatchObject({ code: 0, stderr: '' })
    await this.#expectEnd(walk, plan)
    return { plan, kills: killsOf(JSON.parse(run.stdout) as Moment[]) }
  }

  /** The walk, killed once on the way and taken up again. */
  async killed(walk: Walk, kill: Kill): Promise<void> {
    await this.#told(walk, [kill], async () => {
      const plan = await this.#begin(walk)
      const run = await this.#rows.writeDuring(() => this.#apply(kill))
      expect(run.stderr).toBe('')
      expect(kill.certain ? [137] : [137, 0]).toContain(run.code)
      expectKnownNames(this.#folder)
      await this.#rows.writeIfPossible()
      await this.#takeUp(walk, plan)
    })
  }

  /** The walk, killed at one moment after the other; each apply goes on from where the one before was killed. */
  async killedAtEach(walk: Walk, kills: readonly Kill[]): Promise<number> {
    let count = 0
    await this.#told(walk, kills, async () => {
      const plan = await this.#begin(walk)
      for (const kill of kills) {
        if (outcomeOf(await this.#settledPlan()) === 'nothing') break
        const run = await this.#apply(kill)
        expect({ ...run, kill: inWords(kill) }).toMatchObject({ stderr: '' })
        expect([137, 0]).toContain(run.code)
        expectKnownNames(this.#folder)
        if (run.code !== 0) count += 1
      }
      await this.#rows.writeIfPossible()
      await this.#takeUp(walk, plan)
    })
    return count
  }

  /** Applies once more, by the command of a user, to the end. */
  async #takeUp(walk: Walk, plan: Plan): Promise<void> {
    await this.#settledPlan()
    const { stdout } = await this.#rows.writeDuring(() => this.#folder.apply())
    // The lock of one that was killed after its last effect is left to the next apply that has something to do, and so are the
    // settings of before a restart that was the last step.
    const left = stdout.endsWith(': nothing to do\n') ? ['db1.maestra-lock', 'maestra.before.conf'] : []
    await this.#expectEnd(walk, plan, left)
  }

  /** In which the walk begins. */
  get #ground(): Ground {
    const apply = async (): Promise<void> => {
      if (outcomeOf(await this.#settledPlan()) !== 'nothing') await this.#folder.apply()
    }
    return { folder: this.#folder, rows: this.#rows, apply }
  }

  async #begin(walk: Walk): Promise<Plan> {
    await walk.begin(this.#ground)
    walk.declare(this.#folder)
    const plan = await this.#settledPlan()
    expect({ ...plan, outcome: outcomeOf(plan) }).toMatchObject({ outcome: 'changes' })
    return plan
  }

  async #expectEnd(walk: Walk, taken: Plan, mayBeLeft: readonly string[] = []): Promise<void> {
    const folder = this.#folder
    const left = await this.#plan()
    expect({ outcome: outcomeOf(left), left: [...left.steps, ...left.refusals, ...left.unknowns] }).toEqual({
      outcome: 'nothing',
      left: [],
    })
    expectNothingTemporary(folder, mayBeLeft)
    await this.#expectStepsDone(taken)
    await walk.expectThere(folder)
    await this.#rows.write()
    await this.#rows.expectWhole(walk.nodes.slice(1).map((node) => folder.url(node)))
    await expectFurtherApplyToWriteNothing(folder, walk.nodes)
    await expectNothingOfMaestraToRun(folder, walk.nodes)
  }

  /** What a step asks itself before it does anything: planned again, it would be passed over. */
  async #expectStepsDone({ steps }: Plan): Promise<void> {
    const connections = new KeptConnections()
    const context = stepContext({
      ...this.#declared(),
      connections,
      initialise: () => Promise.reject(new Error('a step is only asked whether it is done')),
      onProgress: () => {},
      signal: new AbortController().signal,
    })
    try {
      const lasting = steps.filter((step, index) => !stateless.includes(step.kind) && isLast(steps, index))
      for (const step of lasting) {
        const runner = stepRunners[step.kind] as StepRunner<StepKind>
        expect({ step, leftToDo: await runner.check(step, context) }).toEqual({ step, leftToDo: false })
      }
    } finally {
      await connections.end()
    }
  }

  /** A plan in which everything is known: a server that a killed apply started may still be starting. */
  async #settledPlan(): Promise<Plan> {
    return await waitUntil(
      async () => {
        const plan = await this.#plan()
        const { unknowns } = plan
        return unknowns.length === 0 ? { done: true, value: plan } : { done: false, seen: JSON.stringify(unknowns) }
      },
      { awaited: 'a plan without unknowns', deadline: Deadline.after(30_000), everyMs: 20 },
    )
  }

  async #plan(): Promise<Plan> {
    const { cluster, site } = this.#declared()
    return planCluster(cluster, await observeCluster(site, cluster))
  }

  /** What the file says, and the machine that it says it of. */
  #declared() {
    const file = this.#folder.file('maestra.yaml')
    const { cluster } = loadCluster(readFileSync(file, 'utf8'), file)
    if (cluster === undefined) throw new Error(`${file} is no cluster file`)
    return { cluster, site: clusterSite() }
  }

  async #apply(kill?: Kill) {
    const task = JSON.stringify({ file: this.#folder.file('maestra.yaml'), kill })
    return await maestra(this.#workspace, [task], { script, cwd: this.#folder.directory })
  }

  /** Says of a failure where the kill was. */
  async #told(walk: Walk, kills: readonly Kill[], work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      const where = kills.length === 1 ? kills.map(inWords).join() : `each of ${kills.length} moments`
      throw new Error(`${walk.name}, killed at ${where}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      })
    })
  }
}

/** Whether no later step does the same to the same node, and so undoes this one. */
function isLast(steps: readonly Step[], index: number): boolean {
  const of = (step: Step): string =>
    `${step.kind} ${'node' in step ? step.node : ''} ${'slot' in step ? step.slot : ''}`
  return !steps.slice(index + 1).some((later) => of(later) === of(steps[index] as Step))
}
