import type { Secret } from '@maestra/client/base/secret'
import type { DeclaredCluster, DeclaredNode } from '../cluster/declared-cluster.js'
import type { PasswordsObservation } from '../cluster/observation.js'
import type { Account } from '../host/host.js'
import type { PlanRequest } from '../plan/plan.js'
import type { StepKind, StepOf } from '../plan/step.js'
import type { Binaries } from '../server/binaries.js'
import type { KeptConnections } from '../server/connection.js'
import type { ReceiveCopy } from '../server/copy-primary.js'
import type { Site } from '../server/site.js'

/** What a running step may use. */
export type StepContext = {
  readonly site: Site
  readonly cluster: DeclaredCluster
  /** What was asked for beyond that. */
  readonly request: PlanRequest
  /** Makes a new data directory for a primary; initdb, or the sandbox's template. */
  readonly initialise: Initialise
  /** Fills the data of a standby; a base backup, or the sandbox's template. */
  readonly receiveCopy?: ReceiveCopy
  /** Whether PostgreSQL is asked what it thinks of a configuration before it is written. */
  readonly triesSettings: boolean
  node(name: string): DeclaredNode
  binaries(): Promise<Binaries>
  /** Of the superuser, used by one step after the other. */
  readonly connections: KeptConnections
  passwords(): Promise<PasswordsObservation>
  readonly onProgress: (progress: Progress) => void
  readonly signal: AbortSignal
}

export type Progress = { readonly receivedBytes: number; readonly totalBytes: number | undefined }

export type Initialise = (options: {
  readonly site: Site
  readonly binaries: Binaries
  readonly account: Account
  readonly directory: string
  readonly scratch: string
  readonly password: Secret
  readonly signal: AbortSignal
}) => Promise<void>

/**
 * One kind of step. The three are asked in this order, so that a killed apply that is run again goes on from what is true:
 * a step whose `check` finds nothing to do is passed over, and one whose `verify` finds its work undone has failed.
 */
export type StepRunner<K extends StepKind> = {
  /** Whether the step still has something to do. */
  check(step: StepOf<K>, context: StepContext): Promise<boolean>
  run(step: StepOf<K>, context: StepContext): Promise<void>
  /** Nothing when it is true now, else what was seen instead. */
  verify(step: StepOf<K>, context: StepContext): Promise<string | undefined>
}
