import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { TreeWriter } from '../../host/host.js'
import { type BackupProgress, BackupReceiver } from './backup-receiver.js'

/** Remembers what it is told. */
class RecordingTree implements TreeWriter {
  pendingBytes = 0
  readonly calls: string[] = []

  directory(path: string): void {
    this.calls.push(`directory ${path}`)
  }
  beginFile(path: string, mode: number): void {
    this.calls.push(`file ${path} ${mode.toString(8)}`)
  }
  append(chunk: Buffer): void {
    this.calls.push(`append ${chunk}`)
  }
  async settled(): Promise<void> {}
  endFile(): void {
    this.calls.push('end')
  }
  symbolicLink(path: string): void {
    this.calls.push(`link ${path}`)
  }
  async drainedTo(bytes: number): Promise<void> {
    this.calls.push(`drain to ${bytes}`)
  }
  async finish(): Promise<void> {}
  async abandon(): Promise<void> {}
}

const server = { major: 18, verify: true }
const mainOnly = [[null, null, '2048']]
const endMark = Buffer.alloc(1024)

/** A manifest without files of the system 42. */
function manifest(): string {
  const content = `{ "PostgreSQL-Backup-Manifest-Version": 2,\n"System-Identifier": 42,\n"Files": [\n],\n"WAL-Ranges": [\n],\n`
  return `${content}"Manifest-Checksum": "${createHash('sha256').update(content).digest('hex')}"}\n`
}

function received(manifestText: string, tree = new RecordingTree()): BackupReceiver {
  const receiver = new BackupReceiver(tree, server, () => {})
  receiver.streamFor(mainOnly)
  receiver.beginArchive(undefined)
  receiver.archiveData(endMark)
  receiver.beginManifest()
  const bytes = Buffer.from(manifestText)
  // The memory of a chunk is lent: the next message overwrites it.
  const lent = Buffer.alloc(7)
  for (let at = 0; at < bytes.length; at += lent.length) {
    const length = bytes.copy(lent, 0, at)
    receiver.manifestData(lent.subarray(0, length))
  }
  return receiver
}

describe('BackupReceiver', () => {
  it('writes the manifest as it came, once it is verified', () => {
    const tree = new RecordingTree()
    const receiver = received(manifest(), tree)
    receiver.verify('42')
    expect(tree.calls).toEqual([])
    receiver.writeManifest()
    expect(tree.calls[0]).toBe('file backup_manifest 600')
    const appended = tree.calls.filter((call) => call.startsWith('append ')).map((call) => call.slice(7))
    expect(appended.join('')).toBe(manifest())
  })

  it('refuses a manifest of another system', () => {
    expect(() => received(manifest()).verify('43')).toThrow(/names the system 42, and the server is of the system 43/)
  })

  it('refuses a manifest that is not what its checksum says', () => {
    const damaged = manifest().replace('42', '43')
    expect(() => received(damaged).verify('43')).toThrow(
      expect.objectContaining({
        code: 'base-backup-failed',
        message: expect.stringMatching(
          /^the manifest of the base backup is damaged: the backup manifest has the checksum/,
        ),
      }),
    )
  })

  it('refuses an archive that was not announced', () => {
    const receiver = new BackupReceiver(new RecordingTree(), server, () => {})
    receiver.streamFor(mainOnly)
    expect(() => receiver.beginArchive('/srv/space')).toThrow(/had not announced: \/srv\/space/)
    receiver.beginArchive(undefined)
    expect(() => receiver.beginArchive(undefined)).toThrow(/a second data directory/)
  })

  it('refuses an archive that ends too early', () => {
    const receiver = new BackupReceiver(new RecordingTree(), server, () => {})
    receiver.streamFor(mainOnly)
    receiver.beginArchive(undefined)
    receiver.archiveData(Buffer.alloc(512))
    expect(() => receiver.beginManifest()).toThrow(/ends in the middle of its end mark/)
  })

  it('reports once a MiB, and looks as often whether the tree has too much to write', () => {
    const reports: BackupProgress[] = []
    const tree = new RecordingTree()
    const receiver = new BackupReceiver(tree, server, (progress) => reports.push(progress))
    receiver.streamFor(mainOnly)
    receiver.beginArchive(undefined)
    const waits: unknown[] = []
    for (let i = 0; i < 80; i++) {
      tree.pendingBytes = i < 40 ? 8 * 1024 * 1024 : 8 * 1024 * 1024 + 1
      // A file without an end keeps the archive in its content.
      receiver.archiveData(i === 0 ? beginningOf1Gib() : Buffer.alloc(32 * 1024))
      waits.push(receiver.whenWritable())
    }
    const totalBytes = 2 * 1024 * 1024
    expect(reports).toEqual([
      { receivedBytes: 0, totalBytes },
      { receivedBytes: 512 + 32 * 32 * 1024, totalBytes },
      { receivedBytes: 512 + 64 * 32 * 1024, totalBytes },
    ])
    expect(waits.filter((wait) => wait !== undefined)).toHaveLength(1)
    expect(tree.calls.filter((call) => call.startsWith('drain'))).toEqual(['drain to 8388608'])
  })

  it('knows no total when the server does not tell one', () => {
    const reports: BackupProgress[] = []
    new BackupReceiver(new RecordingTree(), server, (progress) => reports.push(progress)).streamFor([
      [null, null, null],
    ])
    expect(reports).toEqual([{ receivedBytes: 0, totalBytes: undefined }])
  })
})

/** The header of a file of 1 GiB. */
function beginningOf1Gib(): Buffer {
  const block = Buffer.alloc(512)
  block.write('base/1', 0)
  block.write('0000600 ', 100)
  block.write(`${(1024 ** 3).toString(8).padStart(11, '0')} `, 124)
  block.write('0', 156)
  block.write('ustar\x0000', 257)
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(7, '0')} `, 148)
  return block
}
