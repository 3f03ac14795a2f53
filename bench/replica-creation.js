// @ts-check
// node bench/replica-creation.js [--runs 5] [--folder /tmp] [--programs /usr/lib/postgresql/15/bin] [--growth 100,1000,4000] [--json]
// How long the copy of a primary of 1 GB takes, beside pg_basebackup of the same version; after npm run build.
//
// Timed on each side: a whole process, from its start to its end, that logs in by TCP and SCRAM as the replication role, has
// the server make its fast checkpoint (there is nothing to write) and leaves a complete data directory without WAL.
// - pg_basebackup: --wal-method=none. It holds no file to the manifest; that is what pg_verifybackup does, in rows of its own.
// - Maestra: Node.js, and the base backup of the command line, which verifies while it receives, from one file and with the code
//   that V8 kept of it, as the command line starts from its second time on. When the user is root it gives each file to the
//   account of the server; pg_basebackup runs as that account.
// - maestra apply: the whole command, with observation, configuration, start, and waiting until the replica streams.
// Beside the time of the whole: the processor time of the program and of what it starts, which other work on the machine disturbs
// less. That of the server is not in it.
// --growth: so many MB in place of the 1000, time and memory alone. Needs twice the size on the disk.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Secret } from '../packages/client/dist/base/secret.js'
import { parsePgpass } from '../packages/client/dist/postgres/pgpass.js'
import { LocalHost } from '../packages/maestra/dist/host/local/local-host.js'
import { accountWithoutOwner } from '../packages/maestra/dist/server/account.js'
import { withConnection } from '../packages/maestra/dist/server/connection.js'
import { stopServer } from '../packages/maestra/dist/server/postmaster.js'
import { joinModules } from '../scripts/join-modules.js'
import { flags, median, ratioOf, refuse, table, timeInTurn } from './paired.js'

/** @typedef {import('./paired.js').Contender} Contender */

const run = promisify(execFile)
const given = flags(5, { folder: { type: 'string' }, programs: { type: 'string' }, growth: { type: 'string' } })
const { runs, json } = given
const programs = typeof given['programs'] === 'string' ? given['programs'] : newestPrograms()
if (programs === undefined || !existsSync(join(programs, 'pg_basebackup')))
  refuse(`there is no pg_basebackup in ${programs ?? '/usr/lib/postgresql/*/bin'}; say where: --programs <directory>`)
const above = typeof given['folder'] === 'string' ? given['folder'] : tmpdir()
if (!existsSync(above)) refuse(`there is no folder ${above}`)
const growth = typeof given['growth'] === 'string' ? given['growth'].split(',').map(Number) : undefined
if (growth?.some((each) => !(each > 0))) refuse(`--growth takes sizes in MB, not ${given['growth']}`)
const sizes = growth ?? [1000]

const { stdout: version } = await run(join(programs, 'postgres'), ['--version'])
const major = /\d+/.exec(version)?.[0] ?? ''
const host = new LocalHost({ sync: false })
const account = await accountWithoutOwner(host)
const spawned = account.uid === process.getuid?.() ? {} : { uid: account.uid, gid: account.gid, cwd: '/' }
const bin = fileURLToPath(new URL('../packages/maestra/bin/maestra.js', import.meta.url))
const starter = fileURLToPath(new URL('replica-creation-start.js', import.meta.url))

const folder = await mkdtemp(join(above, 'maestra-bench-'))
const primary = { port: await freePort(), data: join(folder, 'db1') }
const standby = { port: await freePort(), data: join(folder, 'db2') }
const copies = join(folder, 'copies')
const receiver = join(folder, 'receiver', 'receive.cjs')
/** A new name for each copy, see chattr below. */
let copy = ''
let copiesMade = 0
/** Most memory that each of the processes of Maestra had, in MB. @type {Map<string, number>} */
const peakMb = new Map()
/** Processor time of the runs of each contender, in ms, the one that warms up first. @type {Map<string, number[]>} */
const processorMs = new Map()
/** @type {Record<string, string>} Of the cluster's roles. */
const passwords = {}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** @returns {string | undefined} */
function newestPrograms() {
  const root = '/usr/lib/postgresql'
  const majors = existsSync(root)
    ? readdirSync(root)
        .map(Number)
        .sort((a, b) => b - a)
    : []
  return majors.map((each) => join(root, String(each), 'bin')).find((each) => existsSync(join(each, 'pg_basebackup')))
}

/** Without certificates of this machine, which Node.js would read before anything else: 55 ms for those of Debian. */
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env

/**
 * Runs a program under the name of a contender.
 * @param {string} name @param {string} program @param {readonly string[]} args @param {object} [options]
 */
async function contend(name, program, args, options = {}) {
  const env = { ...environment, PGPASSWORD: passwords['replicator'] ?? '', TIMEFORMAT: '%U %S' }
  const timed = ['-c', 'time "$0" "$@"', program, ...args]
  const { stdout, stderr } = await run('bash', timed, { ...options, env })
  const [user = '', system = ''] = stderr.trim().split('\n').at(-1)?.split(' ') ?? []
  const ofName = processorMs.get(name) ?? []
  processorMs.set(name, [...ofName, 1000 * (Number(user) + Number(system))])
  return stdout
}

const apply = async () => {
  await run(process.execPath, [bin, 'apply', '--yes'], { cwd: folder, env: environment })
}

async function takeStandbyDown() {
  await stopServer(host, { node: 'db2', data: standby.data, mode: 'immediate' })
  await rm(standby.data, { recursive: true })
}

async function makePrimary() {
  await run('chmod', ['755', folder])
  await writeFile(
    join(folder, 'maestra.yaml'),
    `cluster: bench
postgres: { version: ${major}, bin: ${programs} }
nodes:
  - { name: db1, port: ${primary.port}, data: ./db1, primary: true }
  - { name: db2, port: ${standby.port}, data: ./db2 }
parameters:
  unix_socket_directories: ""
  max_wal_size: 8GB
  shared_buffers: 256MB
`,
  )
  await apply()
  await takeStandbyDown()
  await mkdir(copies)
  await chown(copies, account.uid, account.gid)
  // As Maestra's sandboxes do: else ext4 slows down whoever makes files where the run before has just removed its own. With
  // this, the name of a copy decides where on the disk it lies.
  await run('chattr', ['+T', copies]).catch(() => {})
  for (const { user, password } of parsePgpass(await readFile(join(folder, 'maestra.pgpass'), 'utf8')))
    passwords[user] = password
}

/** Rows until all databases together have so many MB. @param {number} megabytes */
async function fillTo(megabytes) {
  const login = {
    node: 'db1',
    host: '127.0.0.1',
    port: primary.port,
    user: 'postgres',
    password: new Secret(passwords['postgres'] ?? ''),
    timeoutMs: 600_000,
  }
  await withConnection(login, async (client) => {
    await client.query('create table if not exists filler (id bigint, text text)')
    for (;;) {
      const { rows } = await client.query('select sum(pg_database_size(oid))::float8 / 1e6 as mb from pg_database')
      const missing = megabytes - rows[0].mb
      if (missing <= 0) break
      // A row takes 236 bytes, and a hundredth is left for the next round.
      await client.query(
        `insert into filler select g, repeat(md5(g::text), 6) from generate_series(1, ${Math.ceil((Math.max(missing, 1) * 1e6) / 236)}) g`,
      )
    }
    await client.query('vacuum freeze filler')
    await client.query('checkpoint')
  })
}

const before = async () => {
  copiesMade += 1
  copy = join(copies, `copy-${copiesMade}`)
  await mkdir(copy, { mode: 0o700 })
  await chown(copy, account.uid, account.gid)
}
const after = () => rm(copy, { recursive: true })

/** @param {string} name @param {{ sync: boolean, verifyAfterwards?: boolean }} options @returns {Contender} */
function pgBasebackup(name, { sync, verifyAfterwards = false }) {
  const where = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', 'replicator', '--no-password']
  const how = ['--wal-method=none', '--checkpoint=fast', ...(sync ? [] : ['--no-sync'])]
  return {
    name,
    before,
    run: async () => {
      await contend(name, join(programs ?? '', 'pg_basebackup'), [...where, ...how, '-D', copy], spawned)
      if (!verifyAfterwards) return
      await contend(name, join(programs ?? '', 'pg_verifybackup'), ['--no-parse-wal', '--quiet', copy], spawned)
    },
    after,
  }
}

/** @param {string} name @param {{ sync: boolean, verify: boolean }} options @returns {Contender} */
function ours(name, { sync, verify }) {
  return {
    name,
    before,
    run: async () => {
      const args = [starter, receiver, String(primary.port), major, copy, account.name, String(sync), String(verify)]
      const stdout = await contend(name, process.execPath, args)
      peakMb.set(name, Math.max(peakMb.get(name) ?? 0, Number(stdout)))
    },
    after,
  }
}

/** The first of each group is what the others are compared with. @type {readonly (readonly Contender[])[]} */
const groups = [
  [
    pgBasebackup('pg_basebackup, synced', { sync: true }),
    ours('Maestra, synced', { sync: true, verify: true }),
    pgBasebackup('pg_basebackup, synced, then pg_verifybackup', { sync: true, verifyAfterwards: true }),
    { name: 'maestra apply: a replica that streams', run: apply, after: takeStandbyDown },
  ],
  [
    pgBasebackup('pg_basebackup, not synced', { sync: false }),
    ours('Maestra, not synced', { sync: false, verify: true }),
    ours('Maestra, not synced, unverified', { sync: false, verify: false }),
    pgBasebackup('pg_basebackup, not synced, then pg_verifybackup', { sync: false, verifyAfterwards: true }),
  ],
]

/** The median of what the processes of one run took together. @param {string} name */
function processorMsOf(name) {
  const ofProcesses = processorMs.get(name)
  if (ofProcesses === undefined) return undefined
  const perRun = ofProcesses.length / (runs + 1)
  const ofRuns = Array.from({ length: runs }, (_each, index) => {
    const from = (index + 1) * perRun
    return ofProcesses.slice(from, from + perRun).reduce((sum, ms) => sum + ms, 0)
  })
  return median(ofRuns)
}

/** @param {readonly (readonly Contender[])[]} measured */
async function measure(measured) {
  peakMb.clear()
  processorMs.clear()
  const timed = await timeInTurn(measured.flat(), runs)
  return measured.flatMap((group) => {
    const peer = timed.find(({ name }) => name === group[0]?.name)
    const members = timed.filter(({ name }) => group.some((each) => each.name === name))
    if (peer === undefined) return []
    return members.map((each) => ({
      ...each,
      medianMs: median(each.ms),
      ratio: ratioOf(each, peer),
      processorMs: processorMsOf(each.name),
      peakMb: peakMb.get(each.name),
    }))
  })
}

/** @param {Awaited<ReturnType<typeof measure>>} rows */
function rowsAsText(rows) {
  const text = rows.map(({ name, ms, medianMs, ratio, processorMs: processor, peakMb: peak }) => [
    name,
    ...[medianMs, Math.min(...ms), Math.max(...ms)].map((each) => String(Math.round(each))),
    ratio.median.toFixed(2),
    `${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}`,
    processor === undefined ? '' : String(Math.round(processor)),
    peak === undefined ? '' : String(peak),
  ])
  return table([['', 'median ms', 'min', 'max', 'ratio', '95 %', 'processor ms', 'peak MB'], ...text])
}

try {
  await joinModules(fileURLToPath(new URL('replica-creation-receive.js', import.meta.url)), receiver)
  await makePrimary()
  /** @type {{ megabytes: number, rows: Awaited<ReturnType<typeof measure>> }[]} */
  const results = []
  for (const megabytes of sizes) {
    await fillTo(megabytes)
    const measured = growth === undefined ? groups : groups.map((group) => group.slice(0, 2))
    const rows = await measure(measured)
    results.push({ megabytes, rows })
    if (!json) {
      process.stdout.write(`${megabytes} MB of PostgreSQL ${major}, whole processes, ${runs} runs in turn\n\n`)
      process.stdout.write(`${rowsAsText(rows)}\n\n`)
    }
  }
  if (json)
    process.stdout.write(`${JSON.stringify({ benchmark: 'replica-creation', major, runs, results }, null, 2)}\n`)
} finally {
  for (const { data } of [standby, primary])
    await stopServer(host, { node: 'bench', data, mode: 'immediate' }).catch(() => {})
  await rm(folder, { recursive: true, force: true })
}
