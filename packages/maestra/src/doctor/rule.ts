import type { DataPath } from '../cluster/data-path.js'
import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { Finding, SourcePlace } from '../cluster/finding.js'

/** What the rules look at. Any part may be absent; a rule says nothing about what it does not see. */
export type View = {
  readonly declared: DeclaredCluster | undefined
  /** Where the cluster file says the value at a path; from loadCluster(). */
  readonly locate?: ((path: DataPath) => SourcePlace | undefined) | undefined
}

/** One thing that can be wrong with a cluster. */
export type Rule = {
  /** Stable kebab-case word. */
  readonly name: string
  /** What goes wrong in a cluster that breaks the rule. */
  readonly why: string
  check(view: View): Finding[]
}
