import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { Observation } from '../cluster/observation.js'
import { canonicalHash } from './canonical-hash.js'
import type { Step } from './step.js'

/**
 * Equal for steps that do the same to the same systems. The reasons are left out: they tell positions and states of the
 * moment, which may be others when the plan is made again before it is carried out.
 */
export function fingerprintOf(steps: readonly Step[], systems: Systems): string {
  return canonicalHash({ deeds: steps.map(deedOf), systems }).slice(0, 16)
}

/** What a step does, without why. */
export function deedOf({ why: _why, ...deed }: Step): Omit<Step, 'why'> {
  return deed
}

/** The system identifier of each node that has data. */
export type Systems = Readonly<Record<string, string>>

/** Steps name nodes; in the directory of one may stand another system by the time they are carried out. */
export function systemsOf({ nodes }: Observation): Systems {
  return Object.fromEntries(
    nodes.flatMap(({ name, directory }) =>
      directory.kind === 'data' ? [[name, directory.control.systemIdentifier] as const] : [],
    ),
  )
}

/** Equal for cluster files that declare the same, wherever they stand and however they are written. */
export function declarationHash({ file: _file, ...declared }: DeclaredCluster): string {
  return canonicalHash(declared)
}
