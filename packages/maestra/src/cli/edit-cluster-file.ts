import { MaestraError } from '@maestra/client/base/error'
import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import { isSameButFor } from '../cluster/same-but-for.js'
import { LocalHost } from '../host/local/local-host.js'
import { checkedCluster } from './cluster-file.js'
import { terminal } from './terminal.js'
import { findingsView } from './views/finding-view.js'
import { counted } from './views/plan-view.js'

/**
 * Writes an edited cluster file, if it says the same as before but for one node, and nothing is wrong with it; else throws
 * and changes nothing. `edited` is undefined where the text could not be edited, `byHand` what a person can do then.
 */
export async function editClusterFile(
  before: DeclaredCluster,
  edited: string | undefined,
  { node, byHand }: { readonly node: string; readonly byHand: string },
): Promise<DeclaredCluster> {
  const { file } = before
  const notEditable = () =>
    new MaestraError('bad-usage', `${file} cannot be edited without changing more of it than ${node}`, { hint: byHand })
  if (edited === undefined) throw notEditable()
  const { cluster, findings } = checkedCluster(edited, file)
  const errors = findings.filter((finding) => finding.severity === 'error')
  if (cluster === undefined || errors.length > 0) {
    process.stderr.write(findingsView(findings, terminal(process.stderr)))
    throw new MaestraError(
      'cluster-file-invalid',
      `${file} would have ${counted(errors.length, 'error')}, so it was not changed`,
    )
  }
  if (!isSameButFor(node, before, cluster)) throw notEditable()
  await new LocalHost().files.write(file, edited, { mode: 0o644 })
  return cluster
}
