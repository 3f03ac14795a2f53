import { standbyMinimumSettings } from '@maestra/client/postgres/settings'
import { type DeclaredNode, standbysOf } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { type IntegerParameter, integerParameter } from '../integer-parameter.js'
import { parameterPlace } from '../place.js'
import type { Rule, View } from '../rule.js'

const settings = Object.keys(standbyMinimumSettings) as readonly (keyof typeof standbyMinimumSettings)[]

/** Some settings may not be lower on a standby than on its primary. */
export const standbyMinimum: Rule = {
  name: 'standby-minimum',
  why: 'A standby reserves room for the connections, locks and prepared transactions of its primary. With less room than the primary uses it stops replaying, or does not start.',
  check(view) {
    const { declared } = view
    const primary = declared?.nodes.find((node) => node.startsAs === 'primary')
    if (declared === undefined || primary === undefined) return []
    return standbysOf(declared).flatMap((standby) =>
      settings.flatMap((name) => settingFindings(view, primary, standby, name)),
    )
  },
}

function settingFindings(view: View, primary: DeclaredNode, standby: DeclaredNode, name: IntegerParameter): Finding[] {
  const needed = integerParameter(primary, name)
  const has = integerParameter(standby, name)
  if (needed === undefined || has === undefined || has.value >= needed.value) return []
  return [
    {
      rule: 'standby-minimum',
      severity: 'error',
      message: `\`${name}\` ${has.words} on standby ${standby.name}, and ${needed.words.slice(3)} on its primary ${primary.name}`,
      hint: `set it to ${needed.value} or more on ${standby.name}, or under \`parameters\` of the cluster for all nodes`,
      place: parameterPlace(view, standby, name),
    },
  ]
}
