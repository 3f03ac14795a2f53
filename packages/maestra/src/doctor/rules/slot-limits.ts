import type { DeclaredNode } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { declaredNumber } from '../parameter-value.js'
import { parameterPlace } from '../place.js'
import type { Rule, View } from '../rule.js'

/** The size of a segment of WAL in a cluster that Maestra initialises, in MB. */
const segmentMb = 16

/** A replication slot keeps WAL for a standby that is away for a while. */
export const slotLimits: Rule = {
  name: 'slot-limits',
  why: 'A standby whose slot has lost its WAL cannot follow any more: it has to be copied anew from the primary.',
  check(view) {
    const nodes = view.declared?.nodes ?? []
    return nodes.flatMap((node) => [...sizeFindings(view, node), ...idleFindings(view, node)])
  },
}

/** What wal_keep_size keeps, a slot with a lower limit keeps too. */
function sizeFindings(view: View, node: DeclaredNode): Finding[] {
  const most = declaredNumber(node, 'max_slot_wal_keep_size') ?? -1
  if (most < 0 || Math.max(most, declaredNumber(node, 'wal_keep_size') ?? 0) >= segmentMb) return []
  return [
    {
      rule: 'slot-limits',
      severity: 'warning',
      message: `\`max_slot_wal_keep_size\` is ${most} MB, less than one segment of WAL: a slot keeps nothing`,
      hint: 'declare how much of the disk may be filled for a standby that is away, or leave it out: it is 16GB then',
      place: parameterPlace(view, node, 'max_slot_wal_keep_size'),
    },
  ]
}

function idleFindings(view: View, node: DeclaredNode): Finding[] {
  const parameter = 'idle_replication_slot_timeout'
  if ((declaredNumber(node, parameter) ?? 0) <= 0) return []
  return [
    {
      rule: 'slot-limits',
      severity: 'warning',
      message: `\`${parameter}\` is ${node.parameters[parameter]}: a standby that is away for longer loses its slot`,
      hint: 'limit the disk that a slot may fill with `max_slot_wal_keep_size` instead',
      place: parameterPlace(view, node, parameter),
    },
  ]
}
