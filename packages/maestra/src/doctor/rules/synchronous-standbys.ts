import { namesStandby, type SynchronousStandbyNames } from '@maestra/client/postgres/synchronous-standby-names'
import {
  type DeclaredCluster,
  type DeclaredNode,
  followersOf,
  standbysOf,
  upstreamOf,
} from '../../cluster/declared-cluster.js'
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
      return [
        ...tooFew(view, declared, node, names),
        ...unknownNames(view, declared, node, names),
        ...cascadingNames(view, declared, node, names),
      ]
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
  const meant = followersOf(declared, primary).filter((standby) => namesStandby(names, standby.name)).length
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

/** PostgreSQL waits only for those that follow the primary itself; one behind another standby never counts. */
function cascadingNames(
  view: View,
  declared: DeclaredCluster,
  node: DeclaredNode,
  { names }: SynchronousStandbyNames,
): Finding[] {
  if (node.startsAs !== 'primary') return []
  const meant = new Set(names.map((name) => name.toLowerCase()))
  return standbysOf(declared).flatMap((standby): Finding[] => {
    const upstream = upstreamOf(declared, standby)
    if (upstream === node || !meant.has(standby.name)) return []
    return [
      {
        rule: 'synchronous-standbys',
        severity: 'warning',
        message: `\`${parameter}\` names ${standby.name}, which follows ${upstream?.name}: commits wait only for standbys that follow the primary itself`,
        hint: `let ${standby.name} follow ${node.name}, or name a standby that does`,
        place: parameterPlace(view, node, parameter),
      },
    ]
  })
}

function counted(standbys: number): string {
  return standbys === 1 ? '1 standby' : `${standbys} standbys`
}
