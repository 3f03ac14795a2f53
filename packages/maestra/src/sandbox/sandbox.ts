import type { ClusterStatus } from '../cluster/cluster-status.js'

/**
 * A server of a sandbox. The URL holds the password of this throw-away server, which listens on the loopback address
 * alone.
 */
export type SandboxNode = {
  readonly name: string
  readonly role: 'primary' | 'standby'
  readonly host: string
  readonly port: number
  /** `postgresql://postgres:...@127.0.0.1:port/postgres` */
  readonly url: string
}

/** A cluster of test replicas that runs on this machine until it is stopped. */
export type Sandbox = AsyncDisposable & {
  readonly name: string
  /** Everything of it is below this directory, its cluster file `maestra.yaml` included. */
  readonly directory: string
  /** How long it took until every standby streamed, in ms. */
  readonly startedInMs: number
  readonly nodes: readonly SandboxNode[]
  readonly primary: SandboxNode
  readonly replicas: readonly SandboxNode[]
  /** What its servers are right now. */
  status(): Promise<ClusterStatus>
  /** Stops the servers and removes the directory. Again: nothing happens. */
  stop(): Promise<void>
}

export type SandboxOptions = {
  /** 0 to 20 standbys that stream from the primary; 1 by default. */
  readonly replicas?: number
  /** Lower-case letters, digits, `-`, `_`; a free `sandbox`, `sandbox-2`, ... by default. */
  readonly name?: string
  /** Parameters of all its servers, on top of those that make a sandbox fast. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}
