import { Secret } from '@maestra/client/base/secret'
import { beforeEach, describe, expect, it } from 'vitest'
import type { NodeConfiguration } from '../cluster/node-configuration.js'
import type { Account } from '../host/host.js'
import { type HostUnderTest, hostBench } from '../host/host-bench.fixture.js'
import { hosts } from '../host/hosts.fixture.js'
import { readNodeFiles, writeNodeFiles } from './node-files.js'

const configuration: NodeConfiguration = {
  settings: "# ours\nport = '5432'\n",
  hbaLines: [{ type: 'host', database: 'all', user: 'all', address: '10.0.0.0/8', method: 'scram-sha-256' }],
}
const block =
  '# BEGIN maestra: written by Maestra, which replaces what stands up to the line END\nhost all all 10.0.0.0/8 scram-sha-256\n# END maestra\n'
const passfile = new Secret('10.0.0.1:5432:*:replicator:secret\n')

describe.each(hosts)('on $name', ({ make }) => nodeFilesSuite(make))

function nodeFilesSuite(make: () => Promise<HostUnderTest>): void {
  const { host, at, owner, put } = hostBench(make)
  let directory: string
  /** Root writes for the account of the server; others are that account. */
  let account: Account

  beforeEach(async () => {
    directory = at()
    account = await owner()
  })

  const bytesOf = async (name: string): Promise<Buffer> => (await host.files.readBytes(at(name))) ?? Buffer.alloc(0)
  const textOf = async (name: string): Promise<string> => (await bytesOf(name)).toString().replace(/[ \t]+/g, ' ')
  const write = (but: Partial<NodeConfiguration> = {}, secret: Secret | undefined = passfile): Promise<void> =>
    writeNodeFiles(host, directory, account, { ...configuration, ...but }, secret)

  const leave = async (name: string, content: string | Buffer, mode = 0o640): Promise<void> =>
    await host.files.write(at(name), content, { mode, owner: account })

  /** Everything that a write could change; equal inodes tell that a file was not written anew. */
  const seen = async () => {
    const names = (await host.files.list(directory)) ?? []
    return await Promise.all(
      names.map(async (name) => {
        const { inode, mode, uid, gid } = (await host.files.stat(at(name))) ?? {}
        return { name, inode, mode, uid, gid, content: (await bytesOf(name)).toString('latin1') }
      }),
    )
  }

  describe('writeNodeFiles', () => {
    it('adds an include to postgresql.conf and a block to pg_hba.conf, and keeps all else byte for byte', async () => {
      const conf = Buffer.from('# caf\xe9\r\nmax_connections = 100   # ours\r\n\n  shared_buffers=1GB', 'latin1')
      const hba = Buffer.from('# r\xf4le\nlocal all all peer\n\nhost all all samenet md5 # last', 'latin1')
      await leave('postgresql.conf', conf)
      await leave('pg_hba.conf', hba)
      await write()
      const confAfter = await bytesOf('postgresql.conf')
      expect(confAfter.subarray(0, conf.length)).toEqual(conf)
      expect(confAfter.subarray(conf.length).toString()).toMatch(/\ninclude_if_exists 'maestra\.conf'\r?\n$/)
      const hbaAfter = await bytesOf('pg_hba.conf')
      expect(hbaAfter.subarray(-hba.length)).toEqual(hba)
      expect(
        hbaAfter
          .subarray(0, -hba.length)
          .toString()
          .replace(/[ \t]+/g, ' '),
      ).toBe(block)
    })

    it('keeps owner and mode of the files that are there', async () => {
      await leave('postgresql.conf', '# ours\n', 0o644)
      await leave('pg_hba.conf', '# ours\n', 0o640)
      await leave('maestra.conf', '# before\n', 0o604)
      await write()
      const modes = ['postgresql.conf', 'pg_hba.conf', 'maestra.conf'].map(
        async (name) => (await host.files.stat(at(name)))?.mode,
      )
      expect(await Promise.all(modes)).toEqual([0o644, 0o640, 0o604])
      for (const { name, uid, gid } of await seen())
        expect({ name, uid, gid }).toEqual({ name, uid: account.uid, gid: account.gid })
    })

    it('makes what is missing readable for the account of the server alone', async () => {
      await write()
      expect(await host.files.list(directory)).toEqual([
        'maestra.conf',
        'maestra.pgpass',
        'pg_hba.conf',
        'postgresql.conf',
      ])
      for (const { name, uid, gid, mode } of await seen()) {
        expect({ name, uid, gid, mode }).toEqual({ name, uid: account.uid, gid: account.gid, mode: 0o600 })
      }
      expect(await textOf('maestra.conf')).toBe(configuration.settings)
      expect(await textOf('maestra.pgpass')).toBe(passfile.reveal())
    })

    it('changes nothing the second time', async () => {
      await leave('postgresql.conf', 'port = 1\n')
      await leave('pg_hba.conf', 'local all all peer\n')
      await write()
      const before = await seen()
      await write()
      const after = await seen()
      expect(after.map((each) => each.content)).toEqual(before.map((each) => each.content))
      // The files of the user are not even written.
      const inodes = (files: typeof before) =>
        files.filter(({ name }) => !name.startsWith('maestra')).map(({ inode }) => inode)
      expect(inodes(after)).toEqual(inodes(before))
    })

    it('replaces its own block and its own settings, and nothing else', async () => {
      await leave('pg_hba.conf', 'local all all peer\n')
      await write()
      await write({
        settings: "# ours\nport = '6000'\n",
        hbaLines: [{ type: 'host', database: 'all', user: 'all', address: '10.1.0.0/16', method: 'scram-sha-256' }],
      })
      expect(await textOf('pg_hba.conf')).toBe(`${block.replace('10.0.0.0/8', '10.1.0.0/16')}local all all peer\n`)
      expect(await textOf('maestra.conf')).toBe("# ours\nport = '6000'\n")
    })

    it('writes no passfile where none is given, and leaves one that is there', async () => {
      await leave('maestra.pgpass', 'before\n', 0o600)
      await writeNodeFiles(host, directory, account, configuration, undefined)
      expect(await textOf('maestra.pgpass')).toBe('before\n')
    })

    it('writes into the file that a link in the data directory stands for', async () => {
      await host.files.makeDirectory(at('elsewhere'), { mode: 0o755 })
      await host.files.makeDirectory(at('data'), { mode: 0o755 })
      directory = at('data')
      await put(at('elsewhere', 'postgresql.conf'), '# of the system\n', 0o644)
      await host.files.symbolicLink(at('data', 'postgresql.conf'), at('elsewhere', 'postgresql.conf'))
      await write()
      expect(await host.files.readText(at('elsewhere', 'postgresql.conf'))).toContain(
        "include_if_exists 'maestra.conf'",
      )
      expect(await host.files.list(at('elsewhere'))).toEqual(['postgresql.conf'])
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

    it('finds where the block begins, and what wins over our settings: below the include, and by ALTER SYSTEM', async () => {
      await leave('postgresql.conf', 'work_mem = 1MB\n')
      await leave('pg_hba.conf', 'local all all peer\n')
      await write()
      const conf = (await textOf('postgresql.conf')) ?? ''
      await put(at('postgresql.conf'), `${conf}Work_Mem = 2MB\n`)
      await put(at('postgresql.auto.conf'), "# by ALTER SYSTEM\nwork_mem = '4MB'\n")
      await put(at('pg_hba.conf'), `# moved\n${await textOf('pg_hba.conf')}`)
      const found = await readNodeFiles(host, directory)
      expect(found.hbaBlockLine).toBe(3)
      const name = 'work_mem'
      expect(found.settingsAbove).toEqual([
        { file: at('postgresql.conf'), line: conf.split('\n').length, name, value: '2MB' },
        { file: at('postgresql.auto.conf'), line: 2, name, value: '4MB' },
      ])
    })

    it('finds nothing where nothing is', async () => {
      expect(await readNodeFiles(host, directory)).toEqual({
        included: false,
        settings: undefined,
        hbaBlock: undefined,
        hbaBlockLine: undefined,
        settingsAbove: [],
        passfile: undefined,
      })
    })
  })
}
