import { MaestraError } from '@maestra/client/base/error'

/** What the copies of a base backup carry, in the order in which it comes. */
export interface BackupSink {
  /** An archive begins; the one before it is complete. The main data directory has no tablespace path. */
  beginArchive(tablespacePath: string | undefined): void
  /** The chunk's memory is used again when the sink is settled (BackupQueryOptions). */
  archiveData(chunk: Buffer): void
  /** The archives are complete. */
  beginManifest(): void
  manifestData(chunk: Buffer): void
}

/** One CopyOutResponse, CopyData, CopyDone after the other, as the server sends them. */
export interface BackupStream {
  copyBegins(): void
  copyData(chunk: Buffer): void
  copyEnds(): void
  /** The server says that the command is complete. */
  commandEnds(): void
}

/**
 * The form of PostgreSQL 15 and later: one copy for everything; each CopyData begins with a byte that says what it is
 * (documentation, "Streaming Replication Protocol", BASE_BACKUP).
 */
export class TypedBackupStream implements BackupStream {
  readonly #sink: BackupSink
  #part: 'none' | 'archive' | 'manifest' = 'none'
  #ended = false

  constructor(sink: BackupSink) {
    this.#sink = sink
  }

  copyBegins(): void {
    if (this.#ended) throw unexpected('a second copy')
  }

  copyData(message: Buffer): void {
    switch (message[0]) {
      case 0x64: // d: archive or manifest data
        this.#data(message.subarray(1))
        break
      case 0x6e: // n: new archive
        this.#newArchive(message)
        break
      case 0x6d: // m: manifest
        if (this.#part !== 'archive') throw unexpected(`a manifest after ${this.#part}`)
        this.#part = 'manifest'
        this.#sink.beginManifest()
        break
      case 0x70: // p: progress, in bytes; what has arrived is counted here
        break
      default:
        throw unexpected(`a message of the unknown type ${JSON.stringify(message.toString('latin1', 0, 1))}`)
    }
  }

  copyEnds(): void {
    if (this.#part !== 'manifest') throw unexpected(`the end of the copy after ${this.#part}`)
    this.#ended = true
  }

  commandEnds(): void {
    if (!this.#ended) throw unexpected('the end of the command before the end of the copy')
  }

  #data(chunk: Buffer): void {
    if (this.#part === 'archive') this.#sink.archiveData(chunk)
    else if (this.#part === 'manifest') this.#sink.manifestData(chunk)
    else throw unexpected('data before an archive')
  }

  /** Two zero-terminated texts: the archive's file name, which is of no use here, and the tablespace's path. */
  #newArchive(message: Buffer): void {
    const nameEnd = message.indexOf(0, 1)
    const pathEnd = nameEnd === -1 ? -1 : message.indexOf(0, nameEnd + 1)
    if (pathEnd === -1 || this.#part === 'manifest') throw unexpected('a new archive that is none')
    this.#part = 'archive'
    this.#sink.beginArchive(message.toString('utf8', nameEnd + 1, pathEnd) || undefined)
  }
}

/** The form of PostgreSQL 14: a copy for each tablespace in the order of their list, then one for the manifest. */
export class PlainBackupStream implements BackupStream {
  readonly #sink: BackupSink
  readonly #tablespacePaths: readonly (string | undefined)[]
  #copies = 0
  #copying = false

  constructor(sink: BackupSink, tablespacePaths: readonly (string | undefined)[]) {
    this.#sink = sink
    this.#tablespacePaths = tablespacePaths
  }

  copyBegins(): void {
    const archives = this.#tablespacePaths.length
    if (this.#copies > archives) throw unexpected('a copy after the manifest')
    if (this.#copies < archives) this.#sink.beginArchive(this.#tablespacePaths[this.#copies])
    else this.#sink.beginManifest()
    this.#copies += 1
    this.#copying = true
  }

  copyData(chunk: Buffer): void {
    if (!this.#copying) throw unexpected('data outside of a copy')
    if (this.#copies <= this.#tablespacePaths.length) this.#sink.archiveData(chunk)
    else this.#sink.manifestData(chunk)
  }

  copyEnds(): void {
    this.#copying = false
  }

  commandEnds(): void {
    if (this.#copying || this.#copies <= this.#tablespacePaths.length)
      throw unexpected('the end of the command before the manifest')
  }
}

function unexpected(what: string): MaestraError {
  return new MaestraError('base-backup-failed', `the server sent what does not belong into a base backup: ${what}`)
}
