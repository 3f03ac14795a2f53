import { describe, expect, it } from 'vitest'
import { type BackupSink, type BackupStream, PlainBackupStream, TypedBackupStream } from './backup-stream.js'

class Recorder implements BackupSink {
  readonly events: string[] = []

  beginArchive(tablespacePath: string | undefined): void {
    this.events.push(`archive ${tablespacePath ?? '(main)'}`)
  }
  archiveData(chunk: Buffer): void {
    this.events.push(`data ${chunk}`)
  }
  beginManifest(): void {
    this.events.push('manifest')
  }
  manifestData(chunk: Buffer): void {
    this.events.push(`manifest data ${chunk}`)
  }
}

type Message = string | 'H' | 'c'

/** `H` begins a copy and `c` ends it, as in the protocol; anything else is the content of a CopyData. */
function play(stream: BackupStream, messages: readonly Message[]): void {
  for (const message of messages) {
    if (message === 'H') stream.copyBegins()
    else if (message === 'c') stream.copyEnds()
    else stream.copyData(Buffer.from(message, 'latin1'))
  }
  stream.commandEnds()
}

const progress = `p${'\0'.repeat(8)}`

describe('TypedBackupStream', () => {
  function typed(...messages: readonly Message[]): string[] {
    const sink = new Recorder()
    play(new TypedBackupStream(sink), messages)
    return sink.events
  }

  it('tells archives, manifest and progress apart by their first byte', () => {
    expect(
      typed(
        'H',
        'n16384.tar\0/srv/space\0',
        'd1',
        progress,
        'nbase.tar\0\0',
        'd2',
        'd3',
        progress,
        'm',
        'd{',
        'd}',
        'c',
      ),
    ).toEqual([
      'archive /srv/space',
      'data 1',
      'archive (main)',
      'data 2',
      'data 3',
      'manifest',
      'manifest data {',
      'manifest data }',
    ])
  })

  it.each([
    ['data before an archive', ['H', 'dx']],
    ['a manifest before an archive', ['H', 'm']],
    ['an archive after the manifest', ['H', 'nbase.tar\0\0', 'm', 'nbase.tar\0\0']],
    ['an archive whose texts are not ended', ['H', 'nbase.tar\0']],
    ['a type that the protocol does not know', ['H', 'z']],
    ['an empty message', ['H', '']],
    ['the end of the copy without a manifest', ['H', 'nbase.tar\0\0', 'dx', 'c']],
    ['the end of the command without a copy', []],
    ['the end of the command in the middle of the copy', ['H', 'nbase.tar\0\0', 'm', 'dx']],
    ['a second copy', ['H', 'nbase.tar\0\0', 'm', 'c', 'H']],
  ])('refuses %s', (_, messages) => {
    expect(() => typed(...messages)).toThrow(
      expect.objectContaining({ name: 'MaestraError', code: 'base-backup-failed' }),
    )
  })
})

describe('PlainBackupStream', () => {
  function plain(tablespaces: readonly (string | undefined)[], ...messages: readonly Message[]): string[] {
    const sink = new Recorder()
    play(new PlainBackupStream(sink, tablespaces), messages)
    return sink.events
  }

  it('takes one copy for each tablespace in the order of the list, and one for the manifest', () => {
    expect(plain(['/srv/space', undefined], 'H', '1', 'c', 'H', '2', '3', 'c', 'H', '{', '}', 'c')).toEqual([
      'archive /srv/space',
      'data 1',
      'archive (main)',
      'data 2',
      'data 3',
      'manifest',
      'manifest data {',
      'manifest data }',
    ])
  })

  it.each([
    ['data outside of a copy', ['x']],
    ['a copy after the manifest', ['H', 'x', 'c', 'H', '{}', 'c', 'H']],
    ['the end of the command before the manifest', ['H', 'x', 'c']],
    ['the end of the command in the middle of the manifest', ['H', 'x', 'c', 'H', '{']],
  ])('refuses %s', (_, messages) => {
    expect(() => plain([undefined], ...messages)).toThrow(
      expect.objectContaining({ name: 'MaestraError', code: 'base-backup-failed' }),
    )
  })
})
