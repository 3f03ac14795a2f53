import type { DeclaredNode } from '../cluster/declared-cluster.js'
import { declaredNumber } from './parameter-value.js'

/** The setting by which a standby replays commits late. */
export const applyDelay = 'recovery_min_apply_delay'

/** How late a standby is declared to replay, in the words of the file: `1h`; undefined when at once. A primary replays nothing. */
export function applyDelayOf(node: DeclaredNode): string | undefined {
  if (node.startsAs === 'primary') return undefined
  return (declaredNumber(node, applyDelay) ?? 0) > 0 ? node.parameters[applyDelay] : undefined
}
