import { type ClusterView, type NodeView, upstreamsOf } from './cluster-view.js'
import type { Draft, Phases } from './draft.js'
import { viewWhenAside } from './plan-replacement.js'
import { planStandby } from './plan-standby.js'
import type { Step } from './step.js'

/**
 * Each standby behind its upstream. Where the data of one are moved aside, those behind it find a new server, which has none
 * of their slots.
 */
export function planStandbys(view: ClusterView): readonly Phases[] {
  const moved: NodeView[] = []
  const planned = view.standbys.map((standby) => {
    const above = upstreamsOf(view, standby).filter((upstream) => moved.includes(upstream))
    const phases = planStandby(above.length === 0 ? view : viewWhenAside(view, above), standby)
    if (phases.first.steps.some(isMove)) moved.push(standby)
    return phases
  })
  return planned.map((phases, index) => ({ ...phases, first: endMovedFirst(view, planned, index) }))
}

/**
 * Of a chain whose data are moved aside the end goes first: killed in between, no standby is left with data of before behind
 * a new upstream, which has not the WAL that they go on with.
 */
function endMovedFirst(view: ClusterView, planned: readonly Phases[], index: number): Draft {
  const { first } = planned[index] as Phases
  const standby = view.standbys[index] as NodeView
  if (!first.steps.some(isMove)) return first
  const movesOf = (node: NodeView) => planned[view.standbys.indexOf(node)]?.first.steps.filter(isMove) ?? []
  const isBehindMoved = upstreamsOf(view, standby).some((upstream) => movesOf(upstream).length > 0)
  if (isBehindMoved) return { ...first, steps: first.steps.filter((step) => !isMove(step)) }
  const behind = view.standbys.filter((each) => upstreamsOf(view, each).includes(standby))
  return { ...first, steps: [...behind.toReversed().flatMap(movesOf), ...first.steps] }
}

function isMove(step: Step): boolean {
  return step.kind === 'move-aside'
}
