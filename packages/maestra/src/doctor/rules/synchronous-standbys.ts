import { namesStandby, type SynchronousStandbyNames } from '@maestra/client/postgres/synchronous-standby-names'
import { type DeclaredCluster, type DeclaredNode, standbysOf } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { parameterPlace } from '../place.js'
import type { Rule, View } from '../rule.js'
import { synchronousNames } from '../synchronous-names.js'

const parameter = 'synchronous_standby_names'

/** The standbys that commits wait for are declared, and are as many as commits wait for. */
export const synchronousStandbys: Rule = {
  name: 'synchronous-standbys',
  why: 'A commit waits until as many standbys have answered as synchronous_standby_names asks for. Where fewer of them exist, it waits for ever.',
  check(view) {
    const { declared } = view
    return (declared?.nodes ?? []).flatMap((node) => {
      const names = synchronousNames(node)
      if (declared === undefined || names === 'none') return []
      if (names === 'unreadable') return [unreadable(view, node)]
      return [...tooFew(view, declared, node, names), ...unknownNames(view, declared, node, names)]
    })
  },
}

/** On any node: each may one day be the primary, and none starts with it. */
function unreadable(view: View, node: DeclaredNode): Finding {
  return {
    rule: 'synchronous-standbys',
    severity: 'error',
    message: `PostgreSQL cannot read \`${parameter}\`: ${JSON.stringify(node.parameters[parameter])}`,
    hint: `write names and commas, FIRST 1 (a, b) or ANY 1 (a, b); a name with a - stands in double quotes: '"db-2"'`,
    place: parameterPlace(view, node, parameter),
  }
}

function tooFew(
  view: View,
  declared: DeclaredCluster,
  primary: DeclaredNode,
  names: SynchronousStandbyNames,
): Finding[] {
  if (primary.startsAs !== 'primary') return []
  const meant = standbysOf(declared).filter((standby) => namesStandby(names, standby.name)).length
  if (meant >= names.count) return []
  return [
    {
      rule: 'synchronous-standbys',
      severity: 'warning',
      message: `\`${parameter}\` has each commit wait for ${counted(names.count)}, and names ${meant} of this cluster: without others, no commit ends`,
      hint: `name ${counted(names.count)} by the names of their nodes, or wait for fewer`,
      place: parameterPlace(view, primary, parameter),
    },
  ]
}

function unknownNames(
  view: View,
  { nodes }: DeclaredCluster,
  node: DeclaredNode,
  { names }: SynchronousStandbyNames,
): Finding[] {
  const known = new Set(['*', ...nodes.map(({ name }) => name)])
  return names
    .filter((name) => !known.has(name.toLowerCase()))
    .map((name) => ({
      rule: 'synchronous-standbys',
      severity: 'warning',
      message: `\`${parameter}\` names ${JSON.stringify(name)}, which is no node of this cluster`,
      hint: `the nodes are ${nodes.map((each) => each.name).join(', ')}`,
      place: parameterPlace(view, node, parameter),
    }))
}

function counted(standbys: number): string {
  return standbys === 1 ? '1 standby' : `${standbys} standbys`
}
