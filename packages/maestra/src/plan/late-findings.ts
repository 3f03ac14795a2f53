import type { Finding } from '../cluster/finding.js'
import { type ClusterView, type NodeView, upstreamOf } from './cluster-view.js'
import { minimumsHeld } from './held-settings.js'
import { isHeldUp, whyLate } from './late-standby.js'
import { otherSource } from './other-source.js'

/** What a late standby keeps, and what it does not do, for now. */
export function lateFindings(view: ClusterView): readonly Finding[] {
  return view.standbys.flatMap((standby) => {
    const late = whyLate(view, standby)
    if (late === undefined) return []
    const messages = [keptWords(view, standby), heldUpWords(view, standby)].filter((words) => words !== undefined)
    return messages.map((words) => ({
      rule: 'late-standby',
      severity: 'warning',
      message: `${standby.declared.name} ${words}; ${late}`,
      hint: 'what it does by then: maestra plan',
      place: undefined,
    }))
  })
}

function keptWords(view: ClusterView, standby: NodeView): string | undefined {
  const held = Object.entries(minimumsHeld(view, standby)).map(([name, value]) => `${name} = ${value}`)
  return held.length === 0 ? undefined : `keeps ${held.join(' and ')} until it has replayed that its primary has less`
}

function heldUpWords(view: ClusterView, standby: NodeView): string | undefined {
  const { server } = standby.observed
  if (server.kind !== 'up' || !isHeldUp(view, standby)) return undefined
  const other = otherSource(view, standby, server)
  const from = upstreamOf(view, standby).declared.name
  return other === undefined ? undefined : `streams from ${from} when a delay is over; until then ${other}`
}
