import type { TimelineId } from '../../postgres/timeline.js'
import { type Incarnation, sameIncarnation } from '../topology/incarnation.js'

/**
 * The incarnation of a server on the timeline that it writes: a promotion keeps the time of the start. A crash restart
 * changes none of it, so two equal ones are the same life of a server only as long as a connection that looked has not broken.
 */
export type PrimaryIncarnation = Incarnation & { readonly timeline: TimelineId }

export function samePrimary(one: PrimaryIncarnation | undefined, other: PrimaryIncarnation | undefined): boolean {
  if (one === undefined || other === undefined) return false
  return one === other || (one.timeline === other.timeline && sameIncarnation(one, other))
}
