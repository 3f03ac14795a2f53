// @ts-check
// node bench/sandbox-up.js [--runs 11] [--json]: how long a primary and two streaming replicas take, as a whole command, beside
// initdb and three starts of the same programs by hand.
import { execFile } from 'node:child_process'
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { LocalHost } from '../packages/maestra/dist/host/local/local-host.js'
import { sandboxSite } from '../packages/maestra/dist/sandbox/sandbox-site.js'
import { accountWithoutOwner } from '../packages/maestra/dist/server/account.js'
import { binariesOf } from '../packages/maestra/dist/server/site.js'
import { flags, median, ratioOf, table, timeInTurn } from './paired.js'

const run = promisify(execFile)
const { runs, json } = flags(11)
const bin = fileURLToPath(new URL('../packages/maestra/bin/maestra.js', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'maestra-bench-'))
await run('chmod', ['755', folder])
// As sandboxes do: else ext4 would slow down whoever makes files where the run before has just removed its own.
await run('chattr', ['+T', folder]).catch(() => {})
const cache = join(folder, 'cache')
process.env['MAESTRA_CACHE'] = cache
const env = { PATH: process.env['PATH'], MAESTRA_CACHE: cache }

const host = new LocalHost({ sync: false })
const account = await accountWithoutOwner(host)
const found = await binariesOf(sandboxSite(host), { version: 18, bin: undefined })
if (found.kind !== 'found') throw new Error('no PostgreSQL 18 was found')
const programs = found.directory
const spawned = account.uid === process.getuid?.() ? {} : { uid: account.uid, gid: account.gid, cwd: '/' }

/** @param {readonly string[]} args */
const maestra = (args) => run(process.execPath, [bin, ...args], { env })
const up = async () => {
  await maestra(['sandbox', 'up', '--detach', '--replicas', '2', '--name', 'bench', '--json'])
}
const down = async () => {
  await maestra(['sandbox', 'down', 'bench'])
}

let round = 0
let handFolder = ''
const directories = () => ['one', 'two', 'three'].map((name) => join(handFolder, name))
/** Parts of one run by hand, in ms. @type {{ initdb: number[], starts: number[] }} */
const parts = { initdb: [], starts: [] }

/** initdb without waiting for the disk, then three servers one after the other, each waited for by pg_ctl. */
async function byHand() {
  const [first, ...copies] = directories()
  const startedAt = performance.now()
  await run(join(programs, 'initdb'), ['--no-sync', '--auth=trust', '-U', 'postgres', '-D', first ?? ''], spawned)
  const initialisedAt = performance.now()
  // Where the second and the third come from is not counted: who does it by hand needs a base backup for each.
  for (const copy of copies) await run('cp', ['-a', first ?? '', copy])
  const copiedAt = performance.now()
  for (const [index, data] of [first, ...copies].entries()) {
    const options = `-p ${23_000 + index} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c shared_buffers=32MB`
    await run(
      join(programs, 'pg_ctl'),
      ['start', '-w', '-s', '-D', data ?? '', '-l', `${data}.log`, '-o', options],
      spawned,
    )
  }
  parts.initdb.push(initialisedAt - startedAt)
  parts.starts.push(performance.now() - copiedAt)
}

const contenders = [
  { name: 'sandbox up, template there', run: up, after: down },
  {
    name: 'sandbox up, no template',
    before: () => rm(join(cache, 'templates'), { recursive: true, force: true }),
    run: up,
    after: down,
  },
  {
    name: 'by hand',
    before: async () => {
      round += 1
      handFolder = join(folder, `by-hand-${round}`)
      await mkdir(handFolder)
      await chown(handFolder, account.uid, account.gid)
    },
    run: byHand,
    after: async () => {
      for (const data of directories()) {
        await run(join(programs, 'pg_ctl'), ['stop', '-w', '-m', 'immediate', '-s', '-D', data], spawned)
      }
      await rm(handFolder, { recursive: true })
    },
  },
]

try {
  const [warm, cold, copied] = await timeInTurn(contenders, runs)
  if (warm === undefined || cold === undefined || copied === undefined) throw new Error('a contender is missing')
  // What copying took by hand is in its time, and is taken out of it: the parts are what is compared with.
  const hand = {
    name: 'initdb + 3 starts by hand',
    ms: parts.initdb.slice(1).map((ms, index) => ms + (parts.starts[index + 1] ?? 0)),
  }
  const rows = [warm, cold, hand].map((timed) => ({
    ...timed,
    medianMs: median(timed.ms),
    ratio: ratioOf(timed, hand),
  }))
  if (json) {
    process.stdout.write(`${JSON.stringify({ benchmark: 'sandbox-up', runs, rows, parts }, null, 2)}\n`)
  } else {
    const text = rows.map(({ name, ms, medianMs, ratio }) => [
      name,
      `${Math.round(medianMs)}`,
      `${Math.round(Math.min(...ms))}`,
      `${Math.round(Math.max(...ms))}`,
      `${ratio.median.toFixed(2)}`,
      `${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}`,
    ])
    process.stdout.write(`a primary and two streaming replicas, whole command, ${runs} runs in turn\n\n`)
    process.stdout.write(`${table([['', 'median ms', 'min', 'max', 'ratio', '95 %'], ...text])}\n`)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
