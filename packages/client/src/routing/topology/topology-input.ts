import type { Lsn } from '../../postgres/lsn.js'
import type { TimelineId } from '../../postgres/timeline.js'
import type { Progress, ServerState } from './server-state.js'
import type { Address } from './topology.js'

export type TopologyInput =
  /** The answer to probeQuery. `processId` is that of BackendKeyData: every PostgreSQL names one. */
  | {
      readonly kind: 'answered'
      readonly address: Address
      readonly connection: number
      /** Numbers of the count: taken before the look was sent, and when its answer was there. */
      readonly sent: number
      readonly received: number
      readonly processId: number | undefined
      readonly state: ServerState
    }
  /** The answer to positionQuery, over the watching connection. */
  | {
      readonly kind: 'progressed'
      readonly address: Address
      readonly connection: number
      readonly sent: number
      readonly received: number
      readonly progress: Progress
    }
  /** A probe, or the connection for it, failed. `random` is from 0 to 1: it spreads the retries. */
  | {
      readonly kind: 'failed'
      readonly address: Address
      readonly hung: boolean
      readonly error: string
      readonly random: number
    }
  /** The watching connection broke. */
  | { readonly kind: 'lost'; readonly address: Address; readonly connection: number; readonly error: string }
  | ({ readonly kind: 'evidence' } & Evidence)
  /** Time went by. */
  | { readonly kind: 'tick' }

/** What the pool's own statements say of a server. */
export type Evidence =
  /** `code` is the SQLSTATE, or the code of the operating system's error. */
  { readonly address: Address; readonly code: string } | { readonly address: Address; readonly wrote: Wrote }

/** Something was written there, on a connection of that incarnation: so far that connection saw its log, behind its own write. */
export type Wrote = {
  readonly systemIdentifier: string
  readonly startedAt: string
  readonly timeline: TimelineId
  readonly inserted: Lsn
}
