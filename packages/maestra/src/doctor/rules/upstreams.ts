import { type DeclaredCluster, type DeclaredNode, upstreamOf, upstreamsOf } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { nearestWord } from '../../cluster/nearest-word.js'
import { applyDelayOf } from '../apply-delay.js'
import { parameterPlace, placeOf } from '../place.js'
import type { Rule, View } from '../rule.js'

/** Whoever a standby follows, the WAL of the primary comes to it. */
export const upstreams: Rule = {
  name: 'upstreams',
  why: 'A standby that follows nobody, or others in a circle, gets no WAL.',
  check(view) {
    const { declared } = view
    if (declared?.nodes.some((node) => node.startsAs === 'primary') !== true) return []
    return declared.nodes.flatMap((node) => {
      const { follows } = node
      if (follows === undefined) return []
      if (node.startsAs === 'primary') return [primaryFollows(view, node, follows)]
      if (follows === node.name) return [followsItself(view, node)]
      const upstream = declared.nodes.find((each) => each.name === follows)
      if (upstream === undefined) return [unknownNode(view, declared, node, follows)]
      if (upstreamsOf(declared, node).includes(node)) return [followsInCircle(view, declared, node)]
      return followsDelayed(view, node, upstream)
    })
  },
}

function finding(view: View, node: DeclaredNode, message: string, hint: string): Finding {
  const index = view.declared?.nodes.indexOf(node) ?? -1
  return { rule: 'upstreams', severity: 'error', message, hint, place: placeOf(view, ['nodes', index, 'follows']) }
}

function primaryFollows(view: View, node: DeclaredNode, follows: string): Finding {
  return finding(
    view,
    node,
    `${node.name} is the primary, and follows ${follows}: a primary follows nobody`,
    'take `follows` out, or `primary`',
  )
}

function followsItself(view: View, node: DeclaredNode): Finding {
  return finding(view, node, `${node.name} follows itself`, 'name another node, or take `follows` out: the primary')
}

function unknownNode(view: View, { nodes }: DeclaredCluster, node: DeclaredNode, follows: string): Finding {
  const others = nodes.map(({ name }) => name).filter((name) => name !== node.name)
  const near = nearestWord(follows, others)
  return finding(
    view,
    node,
    `${node.name} follows ${follows}, which is no node of this cluster${near === undefined ? '' : `; did you mean \`${near}\`?`}`,
    `the other nodes are ${others.join(', ')}`,
  )
}

function followsInCircle(view: View, declared: DeclaredCluster, node: DeclaredNode): Finding {
  const circle: string[] = [node.name]
  let next = upstreamOf(declared, node)
  while (next !== undefined && next !== node) {
    circle.push(next.name)
    next = upstreamOf(declared, next)
  }
  return finding(
    view,
    node,
    `${[...circle, node.name].join(' follows ')}: no WAL of the primary comes to them`,
    'let one of them follow the primary',
  )
}

/** What is sent on is what was received: the delay is not handed down. */
function followsDelayed(view: View, node: DeclaredNode, upstream: DeclaredNode): Finding[] {
  const delay = applyDelayOf(upstream)
  if (delay === undefined) return []
  return [
    {
      rule: 'upstreams',
      severity: 'warning',
      message: `${node.name} follows ${upstream.name}, which replays ${delay} late: ${node.name} does not, receives nothing while ${upstream.name} makes up for a restart, and cannot follow it where it is promoted at an earlier point`,
      hint: `let ${node.name} follow the primary, or another standby`,
      place: parameterPlace(view, upstream, 'recovery_min_apply_delay'),
    },
  ]
}
