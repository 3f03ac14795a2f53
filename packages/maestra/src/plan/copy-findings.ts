import { bytesText, timeText } from '../cluster/amount-text.js'
import type { Finding } from '../cluster/finding.js'
import { slotWalKeepBytes } from '../cluster/slot-wal-keep-size.js'
import { parameterPlace, placeOf } from '../doctor/place.js'
import type { View } from '../doctor/rule.js'
import type { ClusterView } from './cluster-view.js'
import type { Step } from './step.js'

/** Below that, an average of the WAL that is written says too little: a load of data can be all that was seen. */
const fewestMs = 10 * 60_000

/** What is reckoned with where no rate is declared: a little less than a network of 1 Gbit/s carries. */
const ordinaryRate = 100 * 1024 * 1024

/**
 * A copy that takes so long that its slot loses WAL which was written meanwhile, as far as past averages tell: all of it would
 * be for nothing.
 */
export function copyFindings(
  { cluster, primary, copy }: ClusterView,
  steps: readonly Step[],
  locate: View['locate'],
): readonly Finding[] {
  const keeps = slotWalKeepBytes(primary.declared)
  if (!steps.some(({ kind }) => kind === 'copy-primary')) return []
  if (copy === undefined || keeps === undefined || copy.walMs < fewestMs) return []
  const { maxRateKb } = cluster.baseBackup
  const rate = maxRateKb === undefined ? ordinaryRate : maxRateKb * 1024
  const lastsMs = (copy.dataBytes / rate) * 1000
  const meanwhile = (copy.walBytes / copy.walMs) * lastsMs
  if (meanwhile <= keeps) return []
  const { name } = primary.declared
  const walRate = bytesText((copy.walBytes / copy.walMs) * 1000)
  const view = { declared: cluster, locate }
  return [
    {
      rule: 'copy-outlasts-slot',
      severity: 'warning',
      message: `a copy of ${name} (${bytesText(copy.dataBytes)}) takes some ${timeText(lastsMs)} at ${bytesText(rate)} a second; at the average of the last ${timeText(copy.walMs)}, ${walRate} a second, ${bytesText(meanwhile)} of WAL are written meanwhile, and a slot keeps ${bytesText(keeps)}`,
      hint:
        maxRateKb === undefined
          ? `is there room on its disk? then declare more as max_slot_wal_keep_size of ${name}`
          : `raise max_rate of base_backup; or declare more as max_slot_wal_keep_size of ${name}, if there is room on its disk`,
      place:
        maxRateKb === undefined
          ? parameterPlace(view, primary.declared, 'max_slot_wal_keep_size')
          : placeOf(view, ['base_backup', 'max_rate']),
    },
  ]
}
