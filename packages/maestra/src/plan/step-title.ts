import { differenceText } from './difference.js'
import type { Step } from './step.js'

/** What a step does, in a few words. */
export function stepTitle(step: Step): string {
  switch (step.kind) {
    case 'write-passfile':
      return 'complete the passfile'
    case 'create-archive':
      return `${step.node}: create the archive ${step.directory}`
    case 'initialise':
      return `${step.node}: initialise a new primary`
    case 'write-configuration':
      return `${step.node}: write its configuration`
    case 'reload':
      return `${step.node}: reload its configuration`
    case 'restart':
      return `${step.node}: restart its server`
    case 'start':
      return `${step.node}: start its server`
    case 'create-replication-role':
      return `${step.node}: create the replication role ${step.role}`
    case 'create-slot':
      return `${step.node}: create the replication slot ${step.slot}`
    case 'replace-slot':
      return `${step.node}: replace the replication slot ${step.slot}`
    case 'drop-slot':
      return `${step.node}: drop the replication slot ${step.slot}`
    case 'move-aside':
      return `${step.node}: move its data aside`
    case 'copy-primary':
      return `${step.node}: copy ${step.from} (base backup)`
    case 'await-streaming':
      return `${step.node}: wait until it streams from ${step.from}`
  }
}

/** What there is to say of a step beyond its reason, a line each. */
export function stepDetails(step: Step): readonly string[] {
  return step.kind === 'write-configuration' ? step.differences.map(differenceText) : []
}

/** Why a step is there, in one line. */
export function stepReason(step: Step): string {
  const details = stepDetails(step)
  return details.length === 0 ? step.why : `${step.why}: ${details.join('; ')}`
}
