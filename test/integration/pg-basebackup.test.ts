import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ClusterFolder, type ClusterText, quickParameters } from '../harness/cluster-folder.js'
import { newest, stagePrograms } from '../harness/majors.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let programs: string

const two = ['db1', 'db2']
const asked = 'base_backup: { with: pg_basebackup, checkpoint: spread, max_rate: 64MB }'

beforeAll(async () => {
  workspace = openWorkspace()
  programs = await stagePrograms(newest, workspace.folder('programs'))
})

afterAll(() => workspace.remove())

async function primaryOf(name: string, text: Omit<ClusterText, 'nodes'>): Promise<ClusterFolder> {
  const cluster = await ClusterFolder.open(workspace, name, two)
  cluster.declare({ ...text, nodes: ['db1'] })
  await cluster.apply()
  await sql(cluster.url('db1'), 'create table sale as select 1 as id')
  return cluster
}

it('is not looked for anywhere but beside the programs of the server, and missed with a word on what to do', async () => {
  const shop = await primaryOf('shop', { bin: programs })
  shop.declare({ bin: programs, nodes: two, more: [asked] })
  const run = await shop.run(['apply', '--yes'])
  expect(run.code).toBe(1)
  expect(run.stderr).toBe(
    `Error: base_backup asks for pg_basebackup, and ${programs} has none\nTry: install the client programs of that version, or leave \`with\` of \`base_backup\` out: Maestra copies without it\n`,
  )
  expect(readdirSync(shop.directory).filter((name) => name.startsWith('db2'))).toEqual([])

  // One that tells how it was called, and fails.
  const told = join(workspace.folder('shop'), 'told')
  const script = `#!/bin/sh\n{ echo "$@"; env; ls -l "$PGPASSFILE"; } > ${told}\necho 'pg_basebackup: error: no' >&2\nexit 1\n`
  for (const name of ['pg_basebackup', 'pg_verifybackup']) {
    writeFileSync(join(programs, name), script)
    chmodSync(join(programs, name), 0o755)
  }
  writeFileSync(told, '')
  chmodSync(told, 0o666)
  const failed = await shop.run(['apply', '--yes'])
  expect(failed.stderr).toBe(`Error: ${join(programs, 'pg_basebackup')} ended with 1: pg_basebackup: error: no\n`)
  const seen = readFileSync(told, 'utf8')
  expect(seen).toMatch(/--checkpoint=spread .*--max-rate=65536k/)
  expect(seen).toMatch(/^-rw-------/m)
  for (const password of shop.passwords()) expect(seen + failed.stdout + failed.stderr).not.toContain(password)
  expect(readdirSync(shop.directory).filter((name) => name.startsWith('db2'))).toEqual([])

  shop.declare({ bin: programs, nodes: two })
  await shop.apply()
})

// Embedded packages have no client programs: those of a distribution, where it has both.
const installed = [14, 15, 16, 17, 18]
  .map((version) => ({ version, bin: `/usr/lib/postgresql/${version}/bin` }))
  .filter(({ bin }) => ['postgres', 'pg_basebackup', 'pg_verifybackup'].every((name) => existsSync(join(bin, name))))

it.each(installed)(
  'copies the primary where the user asks for it, on PostgreSQL $version',
  async ({ version, bin }) => {
    // One WAL sender, and WAL that is never archived: neither may keep it from ending.
    const parameters = [
      ...quickParameters,
      'max_wal_senders: 1',
      'archive_mode: on',
      "archive_command: 'false %p'",
      'log_replication_commands: on',
    ]
    const lab = await primaryOf(`lab-${version}`, { version, bin, parameters })
    lab.declare({ version, bin, nodes: two, parameters, more: [asked] })
    await lab.apply()
    await untilRows(lab.url('db2'), 'select id from sale', [{ id: 1 }])
    expect(readFileSync(`${lab.data('db1')}.log`, 'utf8')).toMatch(/BASE_BACKUP .*MAX_RATE 65536/)
    const left = readdirSync(lab.directory).filter((name) => !/^db[12](\.log)?$/.test(name))
    expect(left).toEqual(['maestra.pgpass', 'maestra.yaml'])
    expect((await lab.run(['plan', '--detailed-exitcode'])).code).toBe(0)
  },
)
