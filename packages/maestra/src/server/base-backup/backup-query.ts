import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { MaestraError } from '@maestra/client/base/error'
import type { BackupStream } from './backup-stream.js'
import { tapCopyData } from './copy-data-tap.js'

/** One row of the answers before and behind the copies; every value is text. */
export type Row = readonly (string | null)[]

export type BackupAnswer = {
  /** Column recptr and tli: where the backup starts. */
  readonly start: Row
  /** Column recptr and tli: where it ends. */
  readonly end: Row
}

export type BackupQueryOptions = {
  readonly command: string
  /** Called once, before the first copy: rows of spcoid, spclocation and size (KiB). What it throws ends the backup. */
  readonly onTablespaces: (rows: readonly Row[]) => BackupStream
  /**
   * Called after each piece of data: the promise to wait for before more is read. What it throws or rejects with ends
   * the backup.
   */
  readonly afterData: () => Promise<void> | undefined
  /** Resolves when the stream needs no data any more that it was given before the call. */
  readonly settled: () => Promise<void>
}

/** The parts of node-postgres' connection that are used here. */
export type WireConnection = EventEmitter & {
  readonly stream: Duplex
  query(text: string): void
}

/**
 * Carries BASE_BACKUP on a node-postgres client that was connected with `replication: 'true'` (which goes into the
 * startup message as it is). Three result sets frame the copies: start, tablespaces; copies; end. `answer` settles
 * once. When it rejects, the connection is destroyed: in the middle of a copy it is of no use any more.
 *
 * The methods named `handle...` are node-postgres' interface for what is given to `client.query`.
 */
export class BackupQuery {
  readonly answer: Promise<BackupAnswer>
  readonly #options: BackupQueryOptions
  #resolve: (answer: BackupAnswer) => void = () => {}
  #reject: (error: unknown) => void = () => {}
  #connection: WireConnection | undefined
  #stream: BackupStream | undefined
  #rows: Row[] = []
  /** Complete result sets in the order of their arrival. */
  #resultSets: Row[][] = []
  /** Promises for which the socket is paused. */
  #waits = 0
  #settled = false

  readonly #onCopyOut = (): void => this.#attempt(() => this.#beginCopy())
  readonly #onCopyDone = (): void => this.#attempt(() => this.#expectStream().copyEnds())

  constructor(options: BackupQueryOptions) {
    this.#options = options
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // The caller awaits it later than it may reject.
    this.answer.catch(() => {})
  }

  /** Ends the backup from outside, for example when it is aborted. */
  fail(error: unknown): void {
    if (this.#settled) return
    this.#settle()
    this.#connection?.stream.destroy()
    this.#reject(error)
  }

  submit(connection: WireConnection): Error | undefined {
    if (this.#settled) return new Error('the base backup was given up before it began')
    this.#connection = connection
    connection.on('copyOutResponse', this.#onCopyOut)
    connection.on('copyDone', this.#onCopyDone)
    tapCopyData(connection.stream, {
      onCopyData: (chunk) => this.#copyData(chunk),
      settled: this.#options.settled,
    })
    connection.query(this.#options.command)
    return undefined
  }

  handleRowDescription(): void {
    this.#rows = []
  }

  handleDataRow(message: { readonly fields: Row }): void {
    this.#rows.push(message.fields)
  }

  handleCommandComplete(): void {
    this.#attempt(() => {
      // Each result set is complete here; the command's own completion at the end brings no rows.
      if (this.#rows.length > 0) this.#resultSets.push(this.#rows)
      this.#rows = []
    })
  }

  handleCopyData(message: { readonly chunk: Buffer }): void {
    // The parser uses its memory again as soon as this returns.
    this.#copyData(Buffer.from(message.chunk))
  }

  handleReadyForQuery(): void {
    this.#attempt(() => {
      this.#expectStream().commandEnds()
      const [start, , end] = this.#resultSets.map((rows) => rows[0])
      if (start === undefined || end === undefined) throw lost('the position where the backup ends')
      this.#settle()
      this.#resolve({ start, end })
    })
  }

  handleError(error: unknown): void {
    this.fail(error)
  }

  handlePortalSuspended(): void {}

  handleEmptyQuery(): void {}

  handleCopyInResponse(): void {
    this.fail(lost('a copy to the client, and not one from it'))
  }

  #copyData(chunk: Buffer): void {
    this.#attempt(() => {
      this.#expectStream().copyData(chunk)
      const wait = this.#options.afterData()
      if (wait !== undefined) this.#pauseUntil(wait)
    })
  }

  #beginCopy(): void {
    if (!this.#stream) {
      // 15 completes the second result set, the tablespaces, before the copy, as 14 does.
      const tablespaces = this.#resultSets[1]
      if (tablespaces === undefined) throw lost('the list of tablespaces')
      this.#stream = this.#options.onTablespaces(tablespaces)
    }
    this.#stream.copyBegins()
  }

  /** Messages that have already been read still come; no more is read from the socket. */
  #pauseUntil(wait: Promise<void>): void {
    const socket = this.#connection?.stream
    this.#waits += 1
    socket?.pause()
    wait.then(
      () => {
        this.#waits -= 1
        if (this.#waits === 0) socket?.resume()
      },
      (error) => this.fail(error),
    )
  }

  #expectStream(): BackupStream {
    if (!this.#stream) throw lost('a copy before its data')
    return this.#stream
  }

  /** What is thrown here would reach the socket's event and end the process. */
  #attempt(action: () => void): void {
    if (this.#settled) return
    try {
      action()
    } catch (error) {
      this.fail(error)
    }
  }

  #settle(): void {
    this.#settled = true
    this.#connection?.off('copyOutResponse', this.#onCopyOut)
    this.#connection?.off('copyDone', this.#onCopyDone)
    // A paused socket would neither see its end nor let the client end it.
    this.#connection?.stream.resume()
  }
}

function lost(what: string): MaestraError {
  return new MaestraError('base-backup-failed', `the answer of the server to BASE_BACKUP lacks ${what}`)
}
