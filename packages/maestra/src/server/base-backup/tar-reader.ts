import { MaestraError } from '@maestra/client/base/error'

/** What a tar archive holds, in the archive's order. */
export interface TarSink {
  directory(path: string, mode: number): void
  symbolicLink(path: string, target: string): void
  /** `size` in bytes; so many follow as content. */
  beginFile(path: string, mode: number, size: number): void
  /** A view into the pushed chunk, never a copy. */
  content(chunk: Buffer): void
  endFile(): void
}

const blockBytes = 512
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Offset and length in bytes of the header's fields (POSIX.1-2008, pax, "ustar Interchange Format"). */
const field = {
  name: [0, 100],
  mode: [100, 8],
  size: [124, 12],
  checksum: [148, 8],
  link: [157, 100],
  magic: [257, 6],
  prefix: [345, 155],
} as const
const typeOffset = 156

/**
 * Reads the ustar archives that PostgreSQL sends: regular files, directories and symbolic links. Sizes from 8 GiB on
 * come in base 256 (a GNU extension that PostgreSQL uses). From 15 on two blocks of zeroes end an archive, before
 * nothing does; both are taken, one block is not.
 */
export class TarReader {
  readonly #sink: TarSink
  readonly #header = Buffer.alloc(blockBytes)
  #headerBytes = 0
  #contentLeft = 0
  #paddingLeft = 0
  #zeroBlocks = 0
  /** For messages. */
  #entry = 'the first entry'

  constructor(sink: TarSink) {
    this.#sink = sink
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const left = chunk.length - at
      if (this.#contentLeft > 0) {
        const length = Math.min(this.#contentLeft, left)
        this.#sink.content(chunk.subarray(at, at + length))
        at += length
        this.#contentLeft -= length
        if (this.#contentLeft === 0) this.#sink.endFile()
      } else if (this.#paddingLeft > 0) {
        const length = Math.min(this.#paddingLeft, left)
        at += length
        this.#paddingLeft -= length
      } else {
        const length = chunk.copy(this.#header, this.#headerBytes, at)
        at += length
        this.#headerBytes += length
        if (this.#headerBytes === blockBytes) {
          this.#headerBytes = 0
          this.#readHeader()
        }
      }
    }
  }

  /** To be called when no more comes. */
  end(): void {
    if (this.#contentLeft > 0) throw damaged(`ends ${this.#contentLeft} bytes before the end of ${this.#entry}`)
    if (this.#paddingLeft > 0 || this.#headerBytes > 0)
      throw damaged(`ends in the middle of a block, after ${this.#entry}`)
    if (this.#zeroBlocks === 1) throw damaged(`ends in the middle of its end mark, after ${this.#entry}`)
  }

  #readHeader(): void {
    const header = this.#header
    if (header.every((byte) => byte === 0)) {
      this.#zeroBlocks += 1
      return
    }
    if (this.#zeroBlocks > 0) throw damaged(`goes on behind its end mark, after ${this.#entry}`)
    this.#verifyChecksum()
    if (this.#text(field.magic) !== 'ustar') throw damaged(`is not in the ustar format, after ${this.#entry}`)
    const path = this.#path()
    const mode = this.#number(field.mode)
    const size = this.#number(field.size)
    this.#entry = path
    const type = String.fromCharCode(header[typeOffset] as number)
    if (type === '0' || type === '\0') this.#beginFile(path, mode, size)
    else if (size !== 0) throw damaged(`gives ${path}, which is no file, a content of ${size} bytes`)
    else if (type === '5') this.#sink.directory(path, mode)
    else if (type === '2') this.#sink.symbolicLink(path, this.#text(field.link))
    else throw damaged(`holds ${path} as an entry of the unknown type ${JSON.stringify(type)}`)
  }

  #beginFile(path: string, mode: number, size: number): void {
    this.#sink.beginFile(path, mode, size)
    this.#contentLeft = size
    this.#paddingLeft = (blockBytes - (size % blockBytes)) % blockBytes
    if (size === 0) this.#sink.endFile()
  }

  /** The sum of all bytes of the header, its own field taken as eight spaces. */
  #verifyChecksum(): void {
    const [start, length] = field.checksum
    let sum = length * 0x20
    for (let i = 0; i < blockBytes; i++) if (i < start || i >= start + length) sum += this.#header[i] as number
    if (sum !== this.#number(field.checksum)) throw damaged(`has a header with a wrong checksum, after ${this.#entry}`)
  }

  /** Without the leading `./` that PostgreSQL gives some entries, and without the `/` that ends a directory's name. */
  #path(): string {
    const prefix = this.#text(field.prefix)
    const name = this.#text(field.name)
    const path = (prefix === '' ? name : `${prefix}/${name}`).replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '')
    if (path === '') throw damaged(`has an entry without a name, after ${this.#entry}`)
    return path
  }

  #text([start, length]: readonly [number, number]): string {
    const bytes = this.#header.subarray(start, start + length)
    const end = bytes.indexOf(0)
    const text = end === -1 ? bytes : bytes.subarray(0, end)
    try {
      return decoder.decode(text)
    } catch {
      throw new MaestraError(
        'base-backup-failed',
        `a file name is not UTF-8 and cannot be copied: ${text.toString('latin1')}`,
      )
    }
  }

  #number([start, length]: readonly [number, number]): number {
    const bytes = this.#header.subarray(start, start + length)
    if (bytes[0] === 0x80) {
      const number = bytes.subarray(1).reduce((value, byte) => value * 256 + byte, 0)
      if (!Number.isSafeInteger(number)) throw damaged(`has a header with a number beyond 2^53, after ${this.#entry}`)
      return number
    }
    const digits = /^ *([0-7]+)[ \0]*$/.exec(bytes.toString('latin1'))?.[1]
    if (digits === undefined) throw damaged(`has a header with a number that is none, after ${this.#entry}`)
    return Number.parseInt(digits, 8)
  }
}

function damaged(what: string): MaestraError {
  return new MaestraError('base-backup-failed', `the archive that the server sent ${what}`)
}
