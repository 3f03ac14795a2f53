import type { DeclaredNode } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { parameterPlace } from '../place.js'
import type { Rule, View } from '../rule.js'

const targets = [
  'recovery_target',
  'recovery_target_lsn',
  'recovery_target_name',
  'recovery_target_time',
  'recovery_target_xid',
] as const

/** A standby follows its primary without an end. */
export const recoveryTargets: Rule = {
  name: 'recovery-targets',
  why: 'A recovery target is where replay ends. A standby that has one stops there, and serves old data from then on.',
  check(view) {
    const nodes = view.declared?.nodes ?? []
    return nodes.flatMap((node) => targetFinding(view, node) ?? timelineFinding(view, node) ?? [])
  },
}

/** The server refuses two of them whether it is in recovery or not. */
function targetFinding(view: View, node: DeclaredNode): Finding | undefined {
  const [first, second] = targets.filter((name) => isSet(node, name))
  if (first === undefined) return undefined
  const finding = { rule: 'recovery-targets', place: parameterPlace(view, node, second ?? first) } as const
  if (second !== undefined) {
    const message = `\`${second}\` is a second recovery target beside \`${first}\`: PostgreSQL does not start`
    return { ...finding, severity: 'error', message, hint: 'leave both out: a standby replays without an end' }
  }
  if (node.startsAs === 'primary') return undefined
  const message = `\`${first}\` ends the replay of standby ${node.name}: it follows no further`
  return { ...finding, severity: 'warning', message, hint: 'leave it out; it is for restoring a backup' }
}

function timelineFinding(view: View, node: DeclaredNode): Finding | undefined {
  const parameter = 'recovery_target_timeline'
  const timeline = node.parameters[parameter] ?? 'latest'
  if (timeline === 'latest' || timeline === '' || node.startsAs === 'primary') return undefined
  return {
    rule: 'recovery-targets',
    severity: 'warning',
    message: `\`${parameter}\` is ${timeline}: standby ${node.name} does not follow a primary that was promoted`,
    hint: 'leave it out for latest',
    place: parameterPlace(view, node, parameter),
  }
}

function isSet(node: DeclaredNode, parameter: string): boolean {
  return (node.parameters[parameter] ?? '') !== ''
}
