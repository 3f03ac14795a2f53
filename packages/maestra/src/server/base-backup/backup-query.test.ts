import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { MaestraError } from '@maestra/client/base/error'
import { describe, expect, it } from 'vitest'
import { BackupQuery, type BackupQueryOptions } from './backup-query.js'
import type { BackupStream } from './backup-stream.js'

const ignoringStream: BackupStream = {
  copyBegins: () => {},
  copyData: () => {},
  copyEnds: () => {},
  commandEnds: () => {},
}

/** A connection on which the messages are called by hand, in place of node-postgres' client. */
class HandConnection extends EventEmitter {
  readonly stream = new PassThrough()
  readonly commands: string[] = []

  query(text: string): void {
    this.commands.push(text)
  }
}

const ignoring: BackupQueryOptions = {
  command: 'BASE_BACKUP',
  onTablespaces: () => ignoringStream,
  afterData: () => undefined,
  settled: async () => {},
}

function begun(options: Partial<BackupQueryOptions> = {}): { query: BackupQuery; connection: HandConnection } {
  const query = new BackupQuery({ ...ignoring, ...options })
  const connection = new HandConnection()
  connection.stream.resume()
  query.submit(connection)
  return { query, connection }
}

function resultSet(query: BackupQuery, ...rows: readonly (string | null)[][]): void {
  query.handleRowDescription()
  for (const fields of rows) query.handleDataRow({ fields })
  query.handleCommandComplete()
}

function upToCopy(query: BackupQuery, connection: HandConnection): void {
  resultSet(query, ['0/2000028', '1'])
  resultSet(query, [null, null, '23456'])
  connection.emit('copyOutResponse')
}

function gate(): { readonly promise: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { promise, open }
}

const chunk = { chunk: Buffer.from('dx') }

describe('BackupQuery', () => {
  it('sends the command and gives start and end', async () => {
    const { query, connection } = begun()
    expect(connection.commands).toEqual(['BASE_BACKUP'])
    upToCopy(query, connection)
    query.handleCopyData(chunk)
    connection.emit('copyDone')
    resultSet(query, ['0/2000100', '1'])
    query.handleCommandComplete()
    query.handleReadyForQuery()
    expect(await query.answer).toEqual({ start: ['0/2000028', '1'], end: ['0/2000100', '1'] })
    expect(connection.stream.destroyed).toBe(false)
  })

  it('leaves no listener on the connection', async () => {
    const { query, connection } = begun()
    query.fail(new Error('enough'))
    await expect(query.answer).rejects.toThrow('enough')
    expect(connection.eventNames()).toEqual([])
  })

  it('stops reading until the promise after the data resolves', async () => {
    const writing = gate()
    const { query, connection } = begun({ afterData: () => writing.promise })
    upToCopy(query, connection)
    query.handleCopyData(chunk)
    expect(connection.stream.isPaused()).toBe(true)
    writing.open()
    await new Promise(setImmediate)
    expect(connection.stream.isPaused()).toBe(false)
  })

  it('goes on only when every promise has resolved', async () => {
    const gates = [gate(), gate()]
    let asked = 0
    const { query, connection } = begun({ afterData: () => gates[asked++]?.promise })
    upToCopy(query, connection)
    query.handleCopyData(chunk)
    query.handleCopyData(chunk)
    gates[0]?.open()
    await new Promise(setImmediate)
    expect(connection.stream.isPaused()).toBe(true)
    gates[1]?.open()
    await new Promise(setImmediate)
    expect(connection.stream.isPaused()).toBe(false)
  })

  it('rejects, and destroys the connection, when the promise after the data rejects', async () => {
    const { query, connection } = begun({ afterData: () => Promise.reject(new Error('disk full')) })
    upToCopy(query, connection)
    query.handleCopyData(chunk)
    await expect(query.answer).rejects.toThrow('disk full')
    expect(connection.stream.destroyed).toBe(true)
    expect(connection.stream.isPaused()).toBe(false)
  })

  it('rejects, and destroys the connection, when the stream throws', async () => {
    const copyData = (): never => {
      throw new MaestraError('base-backup-failed', 'damaged')
    }
    const { query, connection } = begun({ onTablespaces: () => ({ ...ignoringStream, copyData }) })
    upToCopy(query, connection)
    expect(() => query.handleCopyData(chunk)).not.toThrow()
    await expect(query.answer).rejects.toThrow('damaged')
    expect(connection.stream.destroyed).toBe(true)
  })

  it('hands on nothing that comes after an error', async () => {
    const seen: string[] = []
    const copyData = (data: Buffer): void => void seen.push(String(data))
    const { query, connection } = begun({ onTablespaces: () => ({ ...ignoringStream, copyData }) })
    upToCopy(query, connection)
    query.handleError(new Error('first'))
    query.handleError(new Error('second'))
    query.handleCopyData(chunk)
    query.handleReadyForQuery()
    await expect(query.answer).rejects.toThrow('first')
    expect(seen).toEqual([])
  })

  it('shows the tablespaces before the copy begins, and refuses with what that throws', async () => {
    const refuse = (rows: unknown): never => {
      throw new Error(JSON.stringify(rows))
    }
    const { query, connection } = begun({ onTablespaces: refuse })
    resultSet(query, ['0/2000028', '1'])
    resultSet(query, ['16384', '/srv', '8'], [null, null, '23456'])
    connection.emit('copyOutResponse')
    await expect(query.answer).rejects.toThrow('[["16384","/srv","8"],[null,null,"23456"]]')
    expect(connection.stream.destroyed).toBe(true)
  })

  it('refuses an answer without tablespaces, without an end, or with data before a copy', async () => {
    const early = begun()
    early.query.handleCopyData(chunk)
    await expect(early.query.answer).rejects.toMatchObject({ code: 'base-backup-failed' })

    const bare = begun()
    resultSet(bare.query, ['0/2000028', '1'])
    bare.connection.emit('copyOutResponse')
    await expect(bare.query.answer).rejects.toMatchObject({ code: 'base-backup-failed' })

    const endless = begun()
    upToCopy(endless.query, endless.connection)
    endless.connection.emit('copyDone')
    endless.query.handleReadyForQuery()
    await expect(endless.query.answer).rejects.toMatchObject({ code: 'base-backup-failed' })
  })

  it('is not sent when it was given up before', async () => {
    const query = new BackupQuery(ignoring)
    query.fail(new Error('aborted'))
    const connection = new HandConnection()
    expect(query.submit(connection)).toBeInstanceOf(Error)
    expect(connection.commands).toEqual([])
    await expect(query.answer).rejects.toThrow('aborted')
  })
})
