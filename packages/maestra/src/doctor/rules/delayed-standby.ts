import { namesStandby } from '@maestra/client/postgres/synchronous-standby-names'
import { type DeclaredNode, standbysOf } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { applyDelay, applyDelayOf } from '../apply-delay.js'
import { declaredWord, isOn } from '../parameter-value.js'
import { parameterPlace } from '../place.js'
import type { Rule } from '../rule.js'
import { synchronousNames } from '../synchronous-names.js'

/** A standby that replays late holds nobody else up. */
export const delayedStandby: Rule = {
  name: 'delayed-standby',
  why: 'A standby that replays late answers late: a commit that waits until it has replayed takes as long as its delay, and with hot_standby_feedback the primary keeps dead rows for that time.',
  check(view) {
    const { declared } = view
    const primary = declared?.nodes.find((node) => node.startsAs === 'primary')
    const standbys = declared === undefined ? [] : standbysOf(declared)
    return standbys.flatMap((standby): Finding[] => {
      const late = applyDelayOf(standby)
      if (late === undefined) return []
      const delay = `\`${applyDelay}\` of ${standby.name} is ${late}`
      const finding = {
        rule: 'delayed-standby',
        severity: 'warning',
        place: parameterPlace(view, standby, applyDelay),
      } as const
      return [
        ...(primary !== undefined && awaitsReplay(primary, standby)
          ? [
              {
                ...finding,
                message: `${delay}, and commits wait until it has replayed: each may take that long`,
                hint: `leave ${standby.name} out of \`synchronous_standby_names\`, or set \`synchronous_commit\` to on`,
              },
            ]
          : []),
        ...(isOn(standby, 'hot_standby_feedback')
          ? [
              {
                ...finding,
                message: `${delay}, and \`hot_standby_feedback\` is on: the primary keeps dead rows for that time`,
                hint: `set \`hot_standby_feedback\` to off on ${standby.name}`,
              },
            ]
          : []),
      ]
    })
  },
}

function awaitsReplay(primary: DeclaredNode, standby: DeclaredNode): boolean {
  const names = synchronousNames(primary)
  if (names === 'none' || names === 'unreadable') return false
  return declaredWord(primary, 'synchronous_commit') === 'remote_apply' && namesStandby(names, standby.name)
}
