import { standbyMinimumSettings } from '@maestra/client/postgres/settings'
import type { DataDirectory } from '../cluster/observation.js'
import { integerParameter } from '../doctor/integer-parameter.js'
import type { NodeView } from './cluster-view.js'
import { type Draft, nothing, refused } from './draft.js'

const names = Object.keys(standbyMinimumSettings) as readonly (keyof typeof standbyMinimumSettings)[]

/**
 * A stopped standby does not start with less of these settings than its primary had, as far as it has replayed. Lowered for
 * all nodes at once, it could not start to replay the primary's change.
 */
export function checkStandbyMinimums({ declared }: NodeView, { control }: DataDirectory, primary: string): Draft {
  const less = names.flatMap((name) => {
    const wanted = integerParameter(declared, name)
    const had = control.standbyMinimums[name]
    return wanted !== undefined && wanted.value < had ? [`${name} ${wanted.words}, and its primary had ${had}`] : []
  })
  if (less.length === 0) return nothing
  return refused(
    declared.name,
    `it would not start: ${less.join('; ')}`,
    `lower it first in the parameters of ${primary} alone, and here once ${declared.name} has replayed that`,
  )
}
