import {
  parseSynchronousStandbyNames,
  type SynchronousStandbyNames,
} from '@maestra/client/postgres/synchronous-standby-names'
import type { DeclaredNode } from '../cluster/declared-cluster.js'

/** What a node declares; `none` for silence and for the empty text, `unreadable` for what PostgreSQL refuses. */
export function synchronousNames(node: DeclaredNode): SynchronousStandbyNames | 'none' | 'unreadable' {
  try {
    return parseSynchronousStandbyNames(node.parameters['synchronous_standby_names'] ?? '') ?? 'none'
  } catch {
    return 'unreadable'
  }
}
