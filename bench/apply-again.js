// @ts-check
// node bench/apply-again.js [--runs 15] [--json]: a second apply on three nodes that run as declared, as a whole command, beside
// the same from its modules instead of the one file that they are joined in, Node.js that does nothing, and the command that only
// says its version. After npm run build.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { LocalHost } from '../packages/maestra/dist/host/local/local-host.js'
import { stopServer } from '../packages/maestra/dist/server/postmaster.js'
import { flags, median, ratioOf, table, timeInTurn } from './paired.js'

const run = promisify(execFile)
const { runs, json } = flags(15)
const bin = fileURLToPath(new URL('../packages/maestra/bin/maestra.js', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'maestra-bench-'))
await run('chmod', ['755', folder])
const nodes = ['db1', 'db2', 'db3']

/** @param {readonly string[]} args */
const maestra = (args) => run(process.execPath, [bin, ...args], { cwd: folder })
const apply = async () => {
  await maestra(['apply', '--yes'])
}

const main = new URL('../packages/maestra/dist/cli/main.js', import.meta.url)
const fromModules = `const { main } = await import('${main}'); await main(['node', 'maestra', 'apply', '--yes'])`

/** The time of the last write to any file that Maestra keeps. */
async function lastWrite() {
  const files = nodes.flatMap((node) =>
    ['maestra.conf', 'postgresql.conf', 'pg_hba.conf', 'maestra.pgpass'].map((file) => join(folder, node, file)),
  )
  const stats = await Promise.all(files.map((file) => stat(file).catch(() => undefined)))
  return Math.max(...stats.map((found) => found?.mtimeMs ?? 0))
}

try {
  const lines = nodes.map(
    (name, index) =>
      `  - { name: ${name}, port: ${23_100 + index}, data: ./${name}${index === 0 ? ', primary: true' : ''} }`,
  )
  const parameters = ['fsync: off', 'unix_socket_directories: ""', 'shared_buffers: 32MB']
  await writeFile(
    join(folder, 'maestra.yaml'),
    `cluster: bench\npostgres: { version: 18 }\nnodes:\n${lines.join('\n')}\nparameters:\n${parameters.map((line) => `  ${line}\n`).join('')}`,
  )
  await apply()
  const before = await lastWrite()
  const timed = await timeInTurn(
    [
      { name: 'maestra apply --yes, nothing to do', run: apply },
      {
        name: 'the same, module by module',
        run: async () => {
          await run(process.execPath, ['--input-type=module', '--eval', fromModules], { cwd: folder })
        },
      },
      {
        name: 'maestra --version',
        run: async () => {
          await maestra(['--version'])
        },
      },
      {
        name: 'node --eval 0',
        run: async () => {
          await run(process.execPath, ['--eval', '0'])
        },
      },
    ],
    runs,
  )
  const written = (await lastWrite()) !== before
  const peer = timed[3]
  if (peer === undefined) throw new Error('a contender is missing')
  const rows = timed.map((each) => ({ ...each, medianMs: median(each.ms), ratio: ratioOf(each, peer) }))
  if (json) process.stdout.write(`${JSON.stringify({ benchmark: 'apply-again', runs, written, rows }, null, 2)}\n`)
  else {
    const text = rows.map(({ name, ms, medianMs, ratio }) => [
      name,
      `${Math.round(medianMs)}`,
      `${Math.round(Math.min(...ms))}`,
      `${Math.round(Math.max(...ms))}`,
      ratio.median.toFixed(2),
    ])
    process.stdout.write(`a second apply on three nodes, whole command, ${runs} runs in turn\n\n`)
    process.stdout.write(`${table([['', 'median ms', 'min', 'max', 'ratio'], ...text])}\n`)
    process.stdout.write(`\nfiles written: ${written ? 'some' : 'none'}\n`)
  }
} finally {
  const host = new LocalHost({ sync: false })
  for (const node of nodes) await stopServer(host, { node, data: join(folder, node), mode: 'immediate' })
  await rm(folder, { recursive: true, force: true })
}
