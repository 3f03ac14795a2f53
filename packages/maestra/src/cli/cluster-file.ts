import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { MaestraError, messageOf } from '@maestra/client/base/error'
import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import { type LoadedCluster, loadCluster } from '../cluster/load-cluster.js'
import { runRules } from '../doctor/run-rules.js'
import { terminal } from './terminal.js'
import { findingsView } from './views/finding-view.js'
import { counted } from './views/plan-view.js'

export const fileOption = [
  '-f, --file <file>',
  'the cluster file (default: $MAESTRA_FILE, else maestra.yaml in this directory)',
] as const

/**
 * Reads the cluster file and runs the rules over it. What is wrong is printed, each finding with its line, and ends the
 * command. `locate` gives later findings their line.
 */
export async function readCluster(
  option: string | undefined,
): Promise<{ readonly cluster: DeclaredCluster; readonly locate: LoadedCluster['locate'] }> {
  const file = resolve(option ?? process.env['MAESTRA_FILE'] ?? 'maestra.yaml')
  const loaded = loadCluster(await readText(file), file)
  const findings = [...loaded.findings, ...runRules({ declared: loaded.cluster, locate: loaded.locate })]
  const errors = findings.filter((finding) => finding.severity === 'error')
  if (loaded.cluster !== undefined && errors.length === 0) return { cluster: loaded.cluster, locate: loaded.locate }
  process.stderr.write(findingsView(findings, terminal(process.stderr)))
  throw new MaestraError('cluster-file-invalid', `${file} has ${counted(errors.length, 'error')}, so nothing was done`)
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new MaestraError('cluster-file-missing', `cannot read the cluster file ${file}: ${reasonOf(error)}`, {
      cause: error,
      hint: 'name it: maestra plan --file <file>',
    })
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'it is not there'
  if (code === 'EISDIR') return 'it is a directory'
  if (code === 'EACCES') return 'permission denied'
  return messageOf(error)
}
