import type { Row } from './topology/parse-probe.js'

/** A connection to one server that belongs to the watch alone: given by the pool, which knows how to reach it. */
export type WatchConnection = {
  /** The process of BackendKeyData; undefined where the server gave none. */
  readonly processId: number | undefined
  /**
   * Runs one text, autocommit. Rejects with the error of the server or of the socket. With a name it is prepared the first time, and
   * from then on neither parsed nor planned.
   */
  query(text: string, name?: string): Promise<readonly Row[]>
  /** Ends it without a word, also while a query runs. Does not throw. */
  close(): void
  /** Calls once, when the connection ends for whatever reason but close(). */
  onBreak(listener: (error: Error) => void): void
}

/** Rejects when no connection can be had; an aborted signal says that nobody waits for it any more. */
export type Connect = (address: string, signal: AbortSignal) => Promise<WatchConnection>
