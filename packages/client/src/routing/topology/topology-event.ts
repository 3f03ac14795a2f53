import type { TimelineId } from '../../postgres/timeline.js'
import type { Address } from './topology.js'

/** What a DBA wants to read of later. LSNs are texts: they are for people. */
export type TopologyEvent =
  /** `switchpoint` is where the new one left the history of the old one, where that is known. */
  | {
      readonly kind: 'primary-changed'
      readonly from?: Address
      readonly to: Address
      readonly timeline: TimelineId
      readonly switchpoint?: string
    }
  /** None answers, or none takes writes: rule T4 is in force. `address` is that of the last one; none was seen without. */
  | {
      readonly kind: 'primary-away'
      readonly address?: Address
      readonly silentMs?: number
      readonly reason: string
    }
  | { readonly kind: 'primary-back'; readonly address: Address; readonly timeline: TimelineId }
  | { readonly kind: 'two-primaries'; readonly addresses: readonly Address[]; readonly chosen?: Address }
  /** A server out of recovery that was superseded: nothing is written there. */
  | {
      readonly kind: 'former-primary'
      readonly address: Address
      readonly timeline?: TimelineId
      readonly primary?: Address
    }
  | {
      readonly kind: 'wrong-system'
      readonly address: Address
      readonly systemIdentifier: string
      readonly expected: string
    }
  /** Another server, another run of it or other data than before answers at an address. */
  | {
      readonly kind: 'server-changed'
      readonly address: Address
      readonly what: 'restarted' | 'other-system' | 'went-back'
    }
  | { readonly kind: 'node-ejected'; readonly address: Address; readonly reason: string; readonly error: string }
  | { readonly kind: 'node-back'; readonly address: Address; readonly goneMs: number }
  /** A replica that does not follow the primary's history: it satisfies no read that needs a write of it. */
  | { readonly kind: 'replica-diverged'; readonly address: Address; readonly why: string }
  /** Nothing is known of a server behind a pooler: reads go to the primary (R4). */
  | { readonly kind: 'pooler-in-between'; readonly address: Address }
