import { MaestraError } from '@maestra/client/base/error'
import type { BackupManifest } from '@maestra/client/postgres/backup-manifest'
import { Crc32c } from '@maestra/client/postgres/crc32c'
import type { TreeWriter } from '../../host/host.js'
import type { TarSink } from './tar-reader.js'

type ArrivedFile = { readonly size: number; readonly checksum: string }

/**
 * Hands what an archive holds to the tree, and remembers size and checksum of each file for the comparison with the
 * manifest.
 */
export class ArrivedFiles implements TarSink {
  readonly #tree: TreeWriter
  /** Whether the manifest has them; else names and sizes alone are compared. */
  readonly #checksums: boolean
  readonly #files = new Map<string, ArrivedFile>()
  #path = ''
  #size = 0
  #checksum = new Crc32c()
  /** The mode in which the server makes its files: 0600, or 0640 with group access. */
  #fileMode = 0o600

  constructor(tree: TreeWriter, checksums: boolean) {
    this.#tree = tree
    this.#checksums = checksums
  }

  get count(): number {
    return this.#files.size
  }

  get fileMode(): number {
    return this.#fileMode
  }

  directory(path: string, mode: number): void {
    this.#tree.directory(path, mode)
  }

  symbolicLink(path: string, target: string): void {
    this.#tree.symbolicLink(path, target)
  }

  beginFile(path: string, mode: number, size: number): void {
    if (this.#files.has(path)) throw notAsSent([`${path} came twice`])
    if (path === 'backup_label') this.#fileMode = mode
    this.#path = path
    this.#size = size
    this.#checksum = new Crc32c()
    this.#tree.beginFile(path, mode)
  }

  content(chunk: Buffer): void {
    if (this.#checksums) this.#checksum.update(chunk)
    this.#tree.append(chunk)
  }

  endFile(): void {
    this.#files.set(this.#path, { size: this.#size, checksum: this.#checksum.hex() })
    this.#tree.endFile()
  }

  /** Throws unless what arrived is what the manifest lists, no more and no less. */
  verify(manifest: BackupManifest): void {
    const listed = new Set<string>()
    const differences: string[] = []
    for (const { path, size, checksum, checksumAlgorithm } of manifest.files) {
      listed.add(path)
      const arrived = this.#files.get(path)
      if (!arrived) differences.push(`${path} did not arrive`)
      else if (arrived.size !== size) differences.push(`${path} has ${arrived.size} bytes instead of ${size}`)
      else if (!this.#checksums) continue
      else if (checksumAlgorithm !== 'CRC32C') differences.push(`${path} has no CRC32C in the manifest`)
      else if (arrived.checksum !== checksum)
        differences.push(`${path} has the CRC32C ${arrived.checksum} instead of ${checksum}`)
    }
    for (const path of this.#files.keys()) {
      if (!listed.has(path) && !isOutsideManifest(path)) differences.push(`${path} is not in the manifest`)
    }
    if (differences.length > 0) throw notAsSent(differences)
  }
}

/** PostgreSQL's documentation, "Backup Manifest Format": the manifest itself and WAL files are not listed. */
function isOutsideManifest(path: string): boolean {
  return path === 'backup_manifest' || path.startsWith('pg_wal/')
}

const shownDifferences = 3

function notAsSent(differences: readonly string[]): MaestraError {
  const shown = differences.slice(0, shownDifferences).join('; ')
  const more = differences.length - shownDifferences
  return new MaestraError(
    'base-backup-failed',
    `the base backup is not what the server says it sent: ${shown}${more > 0 ? `; and ${more} more` : ''}`,
    { hint: 'Take it again; when it happens again, look at the network and the memory of both machines.' },
  )
}
