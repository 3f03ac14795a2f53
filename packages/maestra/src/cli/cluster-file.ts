import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { codeOf, MaestraError, messageOf } from '@maestra/client/base/error'
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
 * command. `locate` gives later findings their line; `text` is what was read.
 */
export async function readCluster(
  option: string | undefined,
): Promise<{ readonly cluster: DeclaredCluster; readonly locate: LoadedCluster['locate']; readonly text: string }> {
  const file = clusterFilePath(option)
  const text = await readText(file)
  const { cluster, locate, findings } = checkedCluster(text, file)
  const errors = findings.filter((finding) => finding.severity === 'error')
  if (cluster !== undefined && errors.length === 0) return { cluster, locate, text }
  process.stderr.write(findingsView(findings, terminal(process.stderr)))
  throw new MaestraError('cluster-file-invalid', `${file} has ${counted(errors.length, 'error')}, so nothing was done`)
}

/** The absolute path of the cluster file that a command is about. */
export function clusterFilePath(option: string | undefined): string {
  return resolve(option ?? process.env['MAESTRA_FILE'] ?? 'maestra.yaml')
}

/** What a text would be as a cluster file, with all that the loader and the rules find. */
export function checkedCluster(text: string, file: string): LoadedCluster {
  const loaded = loadCluster(text, file)
  const findings = [...loaded.findings, ...runRules({ declared: loaded.cluster, locate: loaded.locate })]
  return { ...loaded, findings }
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
  const code = codeOf(error)
  if (code === 'ENOENT') return 'it is not there'
  if (code === 'EISDIR') return 'it is a directory'
  if (code === 'EACCES') return 'permission denied'
  return messageOf(error)
}
