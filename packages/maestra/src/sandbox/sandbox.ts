import type { ClusterStatus } from '../cluster/cluster-status.js'

/**
 * A server of a sandbox. The URL holds the password of this throw-away server, which listens on the loopback address
 * alone. What is done to it lasts until it is undone; other processes can do it too (`maestra sandbox kill db1`).
 */
export type SandboxNode = {
  readonly name: string
  /** `former-primary` once another one was promoted in its place. */
  readonly role: SandboxRole
  readonly host: string
  readonly port: number
  /** `postgresql://postgres:...@127.0.0.1:port/postgres` */
  readonly url: string
  /**
   * A replica replays each commit so long after it was made: `'500ms'`, `'2s'`, or a number of ms; 0 ends it. PostgreSQL
   * holds back commits only (`recovery_min_apply_delay`). Throws `wrong-role` for a primary.
   */
  lag(delay: string | number): Promise<void>
  /** A replica goes on receiving and replays nothing. Throws `wrong-role` for a primary. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** SIGKILL for every process of the server: nobody is told, nothing is written. */
  kill(): Promise<void>
  /** Starts a server that does not run; a replica streams again when this resolves, if nothing else keeps it from that. */
  start(): Promise<void>
  /** SIGSTOP for every process of the server: its sockets stay open, and nobody answers. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** No byte passes between a replica and its primary; both keep their sockets. Throws `wrong-role` for a primary. */
  cut(): Promise<void>
  mend(): Promise<void>
}

export type SandboxRole = 'primary' | 'standby' | 'former-primary'

/** A cluster of test replicas that runs on this machine until it is stopped, or the process that started it ends. */
export type Sandbox = AsyncDisposable & {
  readonly name: string
  /** Everything of it is below this directory, its cluster file `maestra.yaml` included. */
  readonly directory: string
  /** How long it took until every standby streamed, in ms. */
  readonly startedInMs: number
  readonly nodes: readonly SandboxNode[]
  /** The one that the replicas follow. */
  readonly primary: SandboxNode
  /** Those that follow the primary. */
  readonly replicas: readonly SandboxNode[]
  /** Throws `bad-usage` for a name that no node has. */
  node(name: string): SandboxNode
  /** What its servers are right now. */
  status(): Promise<ClusterStatus>
  /**
   * Has a replica take writes, as a failover would, and the other replicas follow it; one that has more than the new
   * primary is made anew. The old primary is left as it is: where it runs, it still takes writes.
   */
  promote(name: string): Promise<void>
  /** Starts whatever of it does not run, its keeper included: as after a restart of the machine. */
  startAll(): Promise<void>
  /** Stops the servers and removes the directory. Again: nothing happens. */
  stop(): Promise<void>
}

export type SandboxOptions = {
  /** 0 to 20 standbys that stream from the primary; 1 by default. */
  readonly replicas?: number
  /** Lower-case letters, digits, `-`, `_`; a free `sandbox`, `sandbox-2`, ... by default. */
  readonly name?: string
  /** The major version of PostgreSQL; 18, which comes along, by default. */
  readonly version?: number
  /** Whether its data survives a crash of the machine: `fsync` and `full_page_writes` stay on; false by default. */
  readonly durable?: boolean
  /** Parameters of all its servers, on top of those that make a sandbox fast. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}
