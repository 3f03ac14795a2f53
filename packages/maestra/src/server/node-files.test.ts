import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret } from '@maestra/client/base/secret'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NodeConfiguration } from '../cluster/node-configuration.js'
import type { Account } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { readNodeFiles, writeNodeFiles } from './node-files.js'

const host = new LocalHost({ sync: false })
const self = host.processes.self()
/** Root writes for the account of the server; others are that account. */
const account: Account = self.uid === 0 ? { name: 'nobody', uid: 65_534, gid: 65_534 } : self

const configuration: NodeConfiguration = {
  settings: "# ours\nport = '5432'\n",
  hbaLines: [{ type: 'host', database: 'all', user: 'all', address: '10.0.0.0/8', method: 'scram-sha-256' }],
}
const block =
  '# BEGIN maestra: written by Maestra, which replaces what stands up to the line END\nhost all all 10.0.0.0/8 scram-sha-256\n# END maestra\n'
const passfile = new Secret('10.0.0.1:5432:*:replicator:secret\n')

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-node-files-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const at = (name: string): string => join(directory, name)
const textOf = (name: string): string => readFileSync(at(name), 'utf8').replace(/[ \t]+/g, ' ')
const write = (but: Partial<NodeConfiguration> = {}, secret: Secret | undefined = passfile): Promise<void> =>
  writeNodeFiles(host, directory, account, { ...configuration, ...but }, secret)

function leave(name: string, content: string | Buffer, mode = 0o640): void {
  writeFileSync(at(name), content)
  chownSync(at(name), account.uid, account.gid)
  chmodSync(at(name), mode)
}

/** Everything that a write could change; equal inodes tell that a file was not written anew. */
function seen() {
  return readdirSync(directory).map((name) => {
    const { ino, mode, uid, gid } = statSync(at(name))
    return { name, ino, mode, uid, gid, content: readFileSync(at(name), 'latin1') }
  })
}

describe('writeNodeFiles', () => {
  it('adds an include to postgresql.conf and a block to pg_hba.conf, and keeps all else byte for byte', async () => {
    const conf = Buffer.from('# caf\xe9\r\nmax_connections = 100   # ours\r\n\n  shared_buffers=1GB', 'latin1')
    const hba = Buffer.from('# r\xf4le\nlocal all all peer\n\nhost all all samenet md5 # last', 'latin1')
    leave('postgresql.conf', conf)
    leave('pg_hba.conf', hba)
    await write()
    const confAfter = readFileSync(at('postgresql.conf'))
    expect(confAfter.subarray(0, conf.length)).toEqual(conf)
    expect(confAfter.subarray(conf.length).toString()).toMatch(/\ninclude_if_exists 'maestra\.conf'\r?\n$/)
    const hbaAfter = readFileSync(at('pg_hba.conf'))
    expect(hbaAfter.subarray(-hba.length)).toEqual(hba)
    expect(
      hbaAfter
        .subarray(0, -hba.length)
        .toString()
        .replace(/[ \t]+/g, ' '),
    ).toBe(block)
  })

  it('keeps owner and mode of the files that are there', async () => {
    leave('postgresql.conf', '# ours\n', 0o644)
    leave('pg_hba.conf', '# ours\n', 0o640)
    leave('maestra.conf', '# before\n', 0o604)
    await write()
    const modes = ['postgresql.conf', 'pg_hba.conf', 'maestra.conf'].map((name) => statSync(at(name)).mode & 0o777)
    expect(modes).toEqual([0o644, 0o640, 0o604])
    for (const { name, uid, gid } of seen())
      expect({ name, uid, gid }).toEqual({ name, uid: account.uid, gid: account.gid })
  })

  it('makes what is missing readable for the account of the server alone', async () => {
    await write()
    expect(readdirSync(directory)).toEqual(['maestra.conf', 'maestra.pgpass', 'pg_hba.conf', 'postgresql.conf'])
    for (const { name, uid, gid, mode } of seen()) {
      expect({ name, uid, gid, mode: mode & 0o777 }).toEqual({ name, uid: account.uid, gid: account.gid, mode: 0o600 })
    }
    expect(textOf('maestra.conf')).toBe(configuration.settings)
    expect(textOf('maestra.pgpass')).toBe(passfile.reveal())
  })

  it('changes nothing the second time', async () => {
    leave('postgresql.conf', 'port = 1\n')
    leave('pg_hba.conf', 'local all all peer\n')
    await write()
    const before = seen()
    await write()
    const after = seen()
    expect(after.map((each) => each.content)).toEqual(before.map((each) => each.content))
    // The files of the user are not even written.
    const inodes = (files: typeof before) =>
      files.filter(({ name }) => !name.startsWith('maestra')).map(({ ino }) => ino)
    expect(inodes(after)).toEqual(inodes(before))
  })

  it('replaces its own block and its own settings, and nothing else', async () => {
    leave('pg_hba.conf', 'local all all peer\n')
    await write()
    await write({
      settings: "# ours\nport = '6000'\n",
      hbaLines: [{ type: 'host', database: 'all', user: 'all', address: '10.1.0.0/16', method: 'scram-sha-256' }],
    })
    expect(textOf('pg_hba.conf')).toBe(`${block.replace('10.0.0.0/8', '10.1.0.0/16')}local all all peer\n`)
    expect(textOf('maestra.conf')).toBe("# ours\nport = '6000'\n")
  })

  it('writes no passfile where none is given, and leaves one that is there', async () => {
    leave('maestra.pgpass', 'before\n', 0o600)
    await writeNodeFiles(host, directory, account, configuration, undefined)
    expect(textOf('maestra.pgpass')).toBe('before\n')
  })

  it('writes into the file that a link in the data directory stands for', async () => {
    const elsewhere = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-node-files-'))
    try {
      writeFileSync(join(elsewhere, 'postgresql.conf'), '# of the system\n', { mode: 0o644 })
      symlinkSync(join(elsewhere, 'postgresql.conf'), at('postgresql.conf'))
      await write()
      expect(readFileSync(join(elsewhere, 'postgresql.conf'), 'utf8')).toContain("include_if_exists 'maestra.conf'")
      expect(readdirSync(elsewhere)).toEqual(['postgresql.conf'])
    } finally {
      rmSync(elsewhere, { recursive: true, force: true })
    }
  })
})

describe('readNodeFiles', () => {
  it('finds what was written', async () => {
    await write()
    const found = await readNodeFiles(host, directory)
    expect(found).toMatchObject({ included: true, settings: configuration.settings })
    expect(found.hbaBlock?.replace(/[ \t]+/g, ' ')).toBe('host all all 10.0.0.0/8 scram-sha-256\n')
    expect(found.passfile?.reveal()).toBe(passfile.reveal())
  })

  it('finds nothing where nothing is', async () => {
    expect(await readNodeFiles(host, directory)).toEqual({
      included: false,
      settings: undefined,
      hbaBlock: undefined,
      passfile: undefined,
    })
  })
})
