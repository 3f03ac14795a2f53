import type { Step } from '../plan/step.js'

/**
 * Runs the steps of different standbys at the same time, at most so many; those of one after the other, and those of standbys
 * that receive WAL through one another, too. What is not about a standby alone waits for all before it, and all after it wait
 * for it. `chains` has the upstreams of each standby. After an error nothing more is begun, and it is thrown
 * when what was begun has ended.
 */
export async function runInLanes(
  steps: readonly Step[],
  { chains, most }: { readonly chains: Chains; readonly most: number },
  run: (step: Step) => Promise<void>,
): Promise<void> {
  for (const stage of stagesOf(steps, chains)) await runStage(stage, most, run)
}

type Chains = ReadonlyMap<string, readonly string[]>

/** Steps that follow each other. */
type Lane = readonly Step[]

/** Each stage is begun when the one before has ended. */
function stagesOf(steps: readonly Step[], chains: Chains): readonly (readonly Lane[])[] {
  const stages: Map<string, Step[]>[] = []
  let isShared: boolean | undefined
  for (const step of steps) {
    const standby = standbyOf(step, chains)
    const key = standby ?? ''
    const isRelated = [...(stages.at(-1)?.keys() ?? [])].some((lane) => inOneChain(lane, key, chains))
    if (isShared !== (standby === undefined) || isRelated) stages.push(new Map())
    isShared = standby === undefined
    const stage = stages.at(-1)
    stage?.set(key, [...(stage.get(key) ?? []), step])
  }
  return stages.map((stage) => [...stage.values()])
}

/** Whether one of two standbys receives its WAL through the other. */
function inOneChain(a: string, b: string, chains: Chains): boolean {
  return chains.get(a)?.includes(b) === true || chains.get(b)?.includes(a) === true
}

/** The standby that a step is about; undefined for one that is about the cluster or its primary. */
function standbyOf(step: Step, chains: Chains): string | undefined {
  const about = 'standby' in step ? step.standby : 'node' in step ? step.node : undefined
  return about !== undefined && chains.has(about) ? about : undefined
}

async function runStage(lanes: readonly Lane[], most: number, run: (step: Step) => Promise<void>): Promise<void> {
  const waiting = [...lanes]
  let failure: { readonly error: unknown } | undefined
  const worker = async () => {
    for (let lane = waiting.shift(); lane !== undefined; lane = waiting.shift()) {
      for (const step of lane) {
        if (failure !== undefined) return
        await run(step).catch((error) => {
          failure ??= { error }
        })
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, lanes.length) }, worker))
  if (failure !== undefined) throw failure.error
}
