import { MaestraError, messageOf } from '@maestra/client/base/error'
import { type BackupManifest, parseBackupManifest } from '@maestra/client/postgres/backup-manifest'
import { supports } from '@maestra/client/postgres/version'
import type { TreeWriter } from '../../host/host.js'
import { ArrivedFiles } from './arrived-files.js'
import type { Row } from './backup-query.js'
import { type BackupSink, type BackupStream, PlainBackupStream, TypedBackupStream } from './backup-stream.js'
import { TarReader } from './tar-reader.js'

export type BackupProgress = {
  /** Bytes of archives that have arrived. */
  readonly receivedBytes: number
  /** The server's estimate at the start, in bytes, which can be passed; undefined until it has told. */
  readonly totalBytes: number | undefined
}

/** So many bytes may wait to be written when the source goes on. */
const mostPendingBytes = 8 * 1024 * 1024

/** Bytes that arrive between two looks at the tree and two reports of the progress. */
const strideBytes = 1024 * 1024

/** Receives the archive of the main data directory into a tree, and the manifest into memory. */
export class BackupReceiver implements BackupSink {
  readonly #tree: TreeWriter
  readonly #major: number
  readonly #onProgress: (progress: BackupProgress) => void
  readonly #files: ArrivedFiles
  #archive: TarReader | undefined
  readonly #manifest: Buffer[] = []
  #receivedBytes = 0
  #reportedBytes = 0
  #checkedBytes = 0
  #totalBytes: number | undefined

  constructor(
    tree: TreeWriter,
    { major, verify }: { readonly major: number; readonly verify: boolean },
    onProgress: (progress: BackupProgress) => void,
  ) {
    this.#tree = tree
    this.#major = major
    this.#onProgress = onProgress
    this.#files = new ArrivedFiles(tree, verify)
  }

  /** Bytes of archives that have arrived. */
  get receivedBytes(): number {
    return this.#receivedBytes
  }

  get fileCount(): number {
    return this.#files.count
  }

  /** The reader for the copies that follow the list of tablespaces: rows of spcoid, spclocation and size in KiB. */
  streamFor(tablespaces: readonly Row[]): BackupStream {
    const others = tablespaces.filter(([oid]) => oid !== null)
    if (others.length > 0) throw tablespacesRefused(others)
    const kibibytes = tablespaces[0]?.[2]
    this.#totalBytes = kibibytes == null ? undefined : Number(kibibytes) * 1024
    this.#report()
    if (supports(this.#major, 'backup-archive-messages')) return new TypedBackupStream(this)
    return new PlainBackupStream(
      this,
      tablespaces.map(([, location]) => location ?? undefined),
    )
  }

  beginArchive(tablespacePath: string | undefined): void {
    if (this.#archive || tablespacePath !== undefined) {
      throw new MaestraError(
        'base-backup-failed',
        `the server sent an archive that it had not announced: ${tablespacePath ?? 'a second data directory'}`,
      )
    }
    this.#archive = new TarReader(this.#files)
  }

  archiveData(chunk: Buffer): void {
    this.#archive?.push(chunk)
    this.#receivedBytes += chunk.length
    if (this.#receivedBytes - this.#reportedBytes >= strideBytes) this.#report()
  }

  beginManifest(): void {
    this.#archive?.end()
    this.#report()
  }

  manifestData(chunk: Buffer): void {
    // The chunk is only lent.
    this.#manifest.push(Buffer.from(chunk))
  }

  /** What the source waits for before it goes on, from time to time; it rejects when the tree could not be written. */
  whenWritable(): Promise<void> | undefined {
    if (this.#receivedBytes - this.#checkedBytes < strideBytes) return undefined
    this.#checkedBytes = this.#receivedBytes
    return this.#tree.pendingBytes > mostPendingBytes ? this.#tree.drainedTo(mostPendingBytes) : undefined
  }

  /** Throws unless the files in the tree are those of the manifest, taken from this system. */
  verify(systemIdentifier: string): void {
    const manifest = this.#parsedManifest()
    const named = manifest.systemIdentifier
    if (named !== undefined && String(named) !== systemIdentifier) {
      throw new MaestraError(
        'base-backup-failed',
        `the manifest names the system ${named}, and the server is of the system ${systemIdentifier}`,
      )
    }
    this.#files.verify(manifest)
  }

  /** Puts the manifest beside the data, where pg_verifybackup looks for it. */
  writeManifest(): void {
    this.#tree.beginFile('backup_manifest', this.#files.fileMode)
    for (const chunk of this.#manifest) this.#tree.append(chunk)
    this.#tree.endFile()
  }

  #parsedManifest(): BackupManifest {
    try {
      return parseBackupManifest(Buffer.concat(this.#manifest))
    } catch (error) {
      throw new MaestraError('base-backup-failed', `the manifest of the base backup is damaged: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  #report(): void {
    this.#reportedBytes = this.#receivedBytes
    this.#onProgress({ receivedBytes: this.#receivedBytes, totalBytes: this.#totalBytes })
  }
}

function tablespacesRefused(rows: readonly Row[]): MaestraError {
  const named = rows.map(([oid, location]) => `${location} (oid ${oid})`).join(', ')
  return new MaestraError(
    'base-backup-failed',
    `the server has tablespaces outside of its data directory, and Maestra does not copy those yet: ${named}`,
    {
      hint: String.raw`psql -c '\db+'`,
    },
  )
}
