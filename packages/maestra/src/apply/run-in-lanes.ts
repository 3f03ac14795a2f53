import type { Step } from '../plan/step.js'

/**
 * Runs the steps of different standbys at the same time, at most so many; those of one after the other. What is not about a
 * standby alone waits for all before it, and all after it wait for it. After an error nothing more is begun, and it is thrown
 * when what was begun has ended.
 */
export async function runInLanes(
  steps: readonly Step[],
  { standbys, most }: { readonly standbys: readonly string[]; readonly most: number },
  run: (step: Step) => Promise<void>,
): Promise<void> {
  for (const stage of stagesOf(steps, new Set(standbys))) await runStage(stage, most, run)
}

/** Steps that follow each other. */
type Lane = readonly Step[]

/** Each stage is begun when the one before has ended. */
function stagesOf(steps: readonly Step[], standbys: ReadonlySet<string>): readonly (readonly Lane[])[] {
  const stages: Map<string, Step[]>[] = []
  let isShared: boolean | undefined
  for (const step of steps) {
    const standby = standbyOf(step, standbys)
    if (isShared !== (standby === undefined)) stages.push(new Map())
    isShared = standby === undefined
    const stage = stages.at(-1)
    const key = standby ?? ''
    stage?.set(key, [...(stage.get(key) ?? []), step])
  }
  return stages.map((stage) => [...stage.values()])
}

/** The standby that a step is about; undefined for one that is about the cluster or its primary. */
function standbyOf(step: Step, standbys: ReadonlySet<string>): string | undefined {
  const about = 'standby' in step ? step.standby : 'node' in step ? step.node : undefined
  return about !== undefined && standbys.has(about) ? about : undefined
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
