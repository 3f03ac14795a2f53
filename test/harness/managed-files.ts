import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterFolder } from './cluster-folder.js'

const nodeFiles = [
  'maestra.conf',
  'maestra.pgpass',
  'pg_hba.conf',
  'postgresql.auto.conf',
  'postgresql.conf',
  'standby.signal',
]

/** Every file that Maestra writes in a cluster, with what would tell that it was written again. */
export function managedFiles(cluster: ClusterFolder, nodes: readonly string[]): Readonly<Record<string, unknown>> {
  const paths = [
    cluster.file('maestra.pgpass'),
    ...nodes.flatMap((node) => nodeFiles.map((file) => join(cluster.data(node), file))),
  ]
  return Object.fromEntries(paths.filter(existsSync).map((path) => [path, identityOf(path)]))
}

function identityOf(path: string) {
  const { ino, mtimeMs, mode, uid } = statSync(path)
  return { ino, mtimeMs, mode: mode & 0o777, uid, content: readFileSync(path, 'utf8') }
}
