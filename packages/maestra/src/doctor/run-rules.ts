import type { Finding } from '../cluster/finding.js'
import type { View } from './rule.js'
import { rules } from './rules.js'

/**
 * Everything that the rules find in a view, each thing once: in the order of the file, then what has no place in it.
 */
export function runRules(view: View): Finding[] {
  const findings = rules.flatMap((rule) => rule.check(view))
  // A parameter of the cluster is one line for all nodes, and may be wrong for each of them.
  const distinct = findings.filter((finding, index) => findings.findIndex((other) => isSame(finding, other)) === index)
  return distinct.toSorted((a, b) => line(a) - line(b) || column(a) - column(b))
}

function isSame(a: Finding, b: Finding): boolean {
  return a.rule === b.rule && a.message === b.message && a.place?.line === b.place?.line
}

// Not infinite: the difference of two of them has to be zero.
const line = ({ place }: Finding) => place?.line ?? Number.MAX_SAFE_INTEGER
const column = ({ place }: Finding) => place?.column ?? 0
