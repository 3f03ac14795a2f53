import type { TopologyEvent } from '../routing/topology/topology-event.js'

/** What a pool tells of its servers and of what it could not promise: `pool.on('writes-lost', (event) => …)`. */
export type RoutingEvent =
  | TopologyEvent
  /** Whether these writes are in what the primary has cannot be said (rules W3, W5, W6). */
  | { readonly kind: 'writes-uncertain'; readonly reason: string; readonly count: number }
  /** What was written up to this position, on a history that was abandoned, may be gone (rule T7). */
  | { readonly kind: 'writes-lost'; readonly position: string; readonly timeline: number; readonly count: number }
  /** What the application sends to each new connection fails on this replica, so it is not used (rule S4). */
  | { readonly kind: 'session-profile-failed'; readonly address: string; readonly error: string }
  /** A token from outside is not used; its scope has no floor from it (rule T1). */
  | { readonly kind: 'token-invalid'; readonly why: string }
  /** The names of the database could not be asked; until they are, every statement is on the primary. */
  | { readonly kind: 'catalog-failed'; readonly error: string }
  /** A client came back with a transaction open; its connection was closed (rule S1). */
  | { readonly kind: 'transaction-left-open'; readonly address: string }
