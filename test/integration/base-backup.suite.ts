import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { MaestraError } from '@maestra/client/base/error'
import { parseBackupManifest } from '@maestra/client/postgres/backup-manifest'
import { Crc32c } from '@maestra/client/postgres/crc32c'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LocalTreeWriter } from '../../packages/maestra/src/host/local/tree-writer.js'
import {
  type BaseBackupOptions,
  type BaseBackupResult,
  receiveBaseBackup,
} from '../../packages/maestra/src/server/base-backup/receive-base-backup.js'
import { type Major, stagePrograms } from '../harness/majors.js'

// ---- the servers

const asRoot = process.getuid?.() === 0
const account = asRoot ? { name: 'nobody', uid: 65534, gid: 65534 } : undefined
const asAccount = { ...(account && { uid: account.uid, gid: account.gid }), cwd: '/', env: { LC_ALL: 'C' } }
// One describe after the other: each has its own.
let top: string
let bin: string
let major: number

function emptyDirectory(name: string): string {
  const directory = join(top, name)
  fs.mkdirSync(directory, { mode: 0o700 })
  if (account) fs.chownSync(directory, account.uid, account.gid)
  return directory
}

type Server = { readonly port: number; readonly process: ChildProcess; readonly log: () => string }

async function start(data: string): Promise<Server> {
  const port = await freePort()
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'autovacuum=off',
  ]
  const child = spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], asAccount)
  let log = ''
  child.stderr.on('data', (text) => {
    log += text
  })
  const ready = (): boolean => log.includes('ready to accept')
  await waitUntil(() => (ready() ? { done: true, value: undefined } : { done: false, seen: log }), {
    awaited: 'the server',
    deadline: Deadline.after(20_000),
  })
  return { port, process: child, log: () => log }
}

async function stop({ process: child }: Server): Promise<void> {
  const exited = new Promise((resolve) => child.once('exit', resolve))
  if (child.exitCode === null && child.kill('SIGQUIT')) await exited
}

async function freePort(): Promise<number> {
  const listener = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => listener.once('listening', resolve))
  const { port } = listener.address() as net.AddressInfo
  await new Promise((resolve) => listener.close(resolve))
  return port
}

async function connect(port: number, replication = false): Promise<pg.Client> {
  const config = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' }
  const client = new pg.Client({ ...config, ...(replication && { replication: 'true' }) } as pg.ClientConfig)
  await client.connect()
  return client
}

/** A proxy before the server; `alter` sees what the server sends. */
async function proxied(
  port: number,
  alter: (chunk: Buffer, cut: () => void) => Buffer,
): Promise<{ port: number; close: () => void }> {
  const listener = net.createServer((client) => {
    const server = net.connect(port, '127.0.0.1')
    const cut = (): void => {
      client.destroy()
      server.destroy()
    }
    client
      .on('data', (chunk) => server.write(chunk))
      .on('error', cut)
      .on('close', cut)
    server.on('error', cut).on('close', () => client.end())
    server.on('data', (chunk) => {
      if (!client.write(alter(chunk, cut))) {
        server.pause()
        client.once('drain', () => server.resume())
      }
    })
  })
  listener.listen(0, '127.0.0.1')
  await new Promise((resolve) => listener.once('listening', resolve))
  return { port: (listener.address() as net.AddressInfo).port, close: () => listener.close() }
}

// ---- the tests

const marker = 'a text that stands in exactly one file'
let primary: Server
let sql: pg.Client
let target: string
let targets = 0

/** Those of ended clients hold their slot for a moment. */
async function untilNoWalsender(): Promise<void> {
  await waitUntil(
    async () => {
      const { rowCount } = await sql.query('select from pg_stat_replication')
      return rowCount === 0 ? { done: true, value: undefined } : { done: false, seen: `${rowCount} walsenders` }
    },
    { awaited: 'the last walsender to end', deadline: Deadline.after(20_000) },
  )
}

function backup(options: Partial<BaseBackupOptions> = {}): Promise<BaseBackupResult> {
  const tree = new LocalTreeWriter(target, { owner: account, sync: false })
  const common = { major, label: 'a test', checkpoint: 'fast', verify: true } as const
  return receiveBaseBackup({ ...common, tree, connect: () => connect(primary.port, true), ...options })
}

async function failureOf(promise: Promise<unknown>): Promise<MaestraError> {
  const error = await promise.then(
    () => new Error('nothing was thrown'),
    (thrown) => thrown,
  )
  if (error instanceof MaestraError) return error
  throw error
}

/** Files that differ on the disk from what the manifest beside them says. */
function differing(directory: string): string[] {
  const manifest = parseBackupManifest(fs.readFileSync(join(directory, 'backup_manifest')))
  const differs = (path: string, checksum: string | undefined): boolean =>
    new Crc32c().update(fs.readFileSync(join(directory, path))).hex() !== checksum
  expect(manifest.files.length).toBeGreaterThan(900)
  return manifest.files.filter(({ path, checksum }) => differs(path, checksum)).map(({ path }) => path)
}

/** Base backups of a real server. */
export function describeBaseBackup(of: Major): void {
  describe(`receiveBaseBackup from PostgreSQL ${of.version}`, () => {
    beforeAll(async () => {
      top = fs.mkdtempSync(join(tmpdir(), 'maestra-base-backup-'))
      fs.chmodSync(top, 0o755)
      bin = await stagePrograms(of, top)
      major = of.version
      const data = emptyDirectory('primary')
      const initdb = spawnSync(
        join(bin, 'initdb'),
        ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'],
        asAccount,
      )
      expect(initdb.status, String(initdb.stderr)).toBe(0)
      primary = await start(data)
      sql = await connect(primary.port)
      await sql.query(`create table numbers as select i, md5(i::text) from generate_series(1, 150000) i`)
      await sql.query('create table marked as select repeat($1::text, 20) as t', [marker])
    })

    afterAll(async () => {
      await sql?.end()
      if (primary) await stop(primary)
      fs.rmSync(top, { recursive: true, force: true })
    })

    beforeEach(() => {
      targets += 1
      target = emptyDirectory(`target-${targets}`)
    })

    afterEach(untilNoWalsender)

    it('makes a directory that starts as a standby and streams from its slot', async () => {
      await sql.query(`select pg_create_physical_replication_slot('r1', true)`)
      const result = await backup({ tree: new LocalTreeWriter(target, { owner: account, sync: true }) })
      expect(differing(target)).toEqual([])
      const system = await sql.query(`select system_identifier::text as id from pg_control_system()`)
      expect(result.systemIdentifier).toBe(system.rows[0].id)
      expect(result.timeline).toBe(1)
      expect(result.endLsn).toBeGreaterThan(result.startLsn)
      const label = fs.readFileSync(join(target, 'backup_label'), 'utf8')
      expect(label).toContain('LABEL: a test\n')

      const own = `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=postgres'\nprimary_slot_name = 'r1'\n`
      fs.appendFileSync(join(target, 'postgresql.auto.conf'), own)
      fs.writeFileSync(join(target, 'standby.signal'), '')
      const standby = await start(target)
      try {
        await sql.query('insert into marked values ($1)', ['after the backup'])
        const client = await connect(standby.port)
        const seen = await waitUntil(
          async () => {
            const { rows } = await client.query(
              'select (select count(*)::int from numbers) n, (select count(*)::int from marked) m',
            )
            return rows[0].m === 2 ? { done: true, value: rows[0].n } : { done: false, seen: JSON.stringify(rows) }
          },
          { awaited: 'the row', deadline: Deadline.after(10_000) },
        )
        expect(seen).toBe(150_000)
        await client.end()
      } finally {
        await stop(standby)
        await untilNoWalsender()
        await sql.query(`select pg_drop_replication_slot('r1')`)
      }
    })

    it('reports how far it is, with a total close to what arrives', async () => {
      const reports: { receivedBytes: number; totalBytes: number | undefined }[] = []
      const result = await backup({ onProgress: (progress) => reports.push(progress) })
      const totals = new Set(reports.map(({ totalBytes }) => totalBytes))
      expect(totals.size).toBe(1)
      const [total = 0] = totals
      expect(Math.abs(result.bytes / total - 1)).toBeLessThan(0.02)
      expect(reports.at(-1)?.receivedBytes).toBe(result.bytes)
      expect(reports.length).toBeGreaterThan(30)
    })

    it('holds little in memory when the tree is slower than the server', async () => {
      const tree = new LocalTreeWriter(target, { owner: account, sync: false })
      let pending = 0
      let most = 0
      Object.defineProperty(tree, 'pendingBytes', { get: () => pending })
      const append = tree.append.bind(tree)
      tree.append = (chunk) => {
        pending += chunk.length
        most = Math.max(most, pending)
        append(chunk)
      }
      tree.drainedTo = async () => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        pending = 0
      }
      await backup({ tree })
      expect(most).toBeGreaterThan(8 * 1024 * 1024)
      expect(most).toBeLessThan(10 * 1024 * 1024)
      expect(differing(target)).toEqual([])
    })

    it('names the file in which one bit was turned on the way', async () => {
      let turned = false
      const proxy = await proxied(primary.port, (chunk) => {
        const at = turned ? -1 : chunk.indexOf(marker)
        if (at !== -1) {
          turned = true
          chunk[at] = (chunk[at] ?? 0) ^ 1
        }
        return chunk
      })
      const file = await sql.query(`select pg_relation_filepath('marked') as path`)
      const error = await failureOf(backup({ connect: () => connect(proxy.port, true) }))
      proxy.close()
      expect(turned).toBe(true)
      expect(error.code).toBe('base-backup-failed')
      expect(error.message).toMatch(
        new RegExp(`^the base backup is not what the server says it sent: ${file.rows[0].path} has the CRC32C`),
      )
      expect(fs.existsSync(join(target, 'backup_manifest'))).toBe(false)
    })

    it('says how far it came when the connection is cut', async () => {
      let sent = 0
      const proxy = await proxied(primary.port, (chunk, cut) => {
        sent += chunk.length
        if (sent > 5_000_000) cut()
        return chunk
      })
      const error = await failureOf(backup({ connect: () => connect(proxy.port, true) }))
      proxy.close()
      expect(error.code).toBe('base-backup-failed')
      expect(error.message).toMatch(/^the connection to the server was lost after [34]\.\d MiB of the base backup: /)
    })

    it('says what the server says when that refuses', async () => {
      const error = await failureOf(backup({ label: 'x'.repeat(2000) }))
      expect(error.code).toBe('base-backup-failed')
      expect(error.message).toBe('the server ended the base backup: backup label too long (max 1024 bytes)')
    })

    it('says when its walsender is ended by an administrator', async () => {
      let ended = false
      const onProgress = ({ receivedBytes }: { receivedBytes: number }): void => {
        if (receivedBytes === 0 || ended) return
        ended = true
        void sql.query('select pg_terminate_backend(pid) from pg_stat_replication')
      }
      const error = await failureOf(backup({ onProgress }))
      expect(error.code).toBe('base-backup-failed')
      expect(error.message).toMatch(
        /terminating connection due to administrator command|connection to the server was lost/,
      )
    })

    it('refuses other tablespaces before anything is written, and names them', async () => {
      const space = emptyDirectory('space')
      await sql.query(`create tablespace elsewhere location '${space}'`)
      try {
        const error = await failureOf(backup())
        expect(error.code).toBe('base-backup-failed')
        expect(error.message).toContain(`does not copy those yet: ${space} (oid `)
        expect(fs.readdirSync(target)).toEqual([])
      } finally {
        await sql.query('drop tablespace elsewhere')
      }
    })

    it.runIf(asRoot && process.platform === 'linux')('stops at once when the disk is full', async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=10m', 'tmpfs', target])
      try {
        let received = 0
        const onProgress = ({ receivedBytes }: { receivedBytes: number }): void => {
          received = receivedBytes
        }
        const error = await failureOf(backup({ onProgress }))
        expect(error.code).toBe('file-system-failed')
        expect(error.message).toMatch(/no space left on the device$/)
        expect(received).toBeLessThan(25_000_000)
      } finally {
        execFileSync('umount', [target])
      }
    })

    it.each([0, 1_000_000])('is aborted promptly after %i bytes', async (bytes) => {
      const controller = new AbortController()
      const reason = new Error('enough')
      const onProgress = ({ receivedBytes }: { receivedBytes: number }): void => {
        if (receivedBytes >= bytes && !controller.signal.aborted) setImmediate(() => controller.abort(reason))
      }
      await expect(backup({ onProgress, signal: controller.signal })).rejects.toBe(reason)
    })

    it('is aborted while it connects, and ends the connection that comes later', async () => {
      const signal = AbortSignal.abort(new Error('too late'))
      await expect(backup({ signal })).rejects.toBe(signal.reason)

      let late: pg.Client | undefined
      const connectLate = async (): Promise<pg.Client> => {
        await new Promise((resolve) => setTimeout(resolve, 200))
        late = await connect(primary.port, true)
        return late
      }
      await expect(backup({ signal: AbortSignal.timeout(50), connect: connectLate })).rejects.toThrow(/timeout/)
      expect(late).toBeUndefined()
      await waitUntil(() => (late ? { done: true, value: late } : { done: false, seen: 'nothing' }), {
        awaited: 'the late connection',
        deadline: Deadline.after(2000),
      })
    })

    it('hands on why there is no connection', async () => {
      const port = await freePort()
      const error = await failureOf(backup({ connect: () => connect(port, true) }))
      expect(error.code).toBe('connection-failed')
      expect(error.message).toMatch(/^cannot connect for the base backup: connect ECONNREFUSED/)
    })
  })
}
