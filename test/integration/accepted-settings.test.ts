import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Secret } from '@maestra/client/base/secret'
import { parseServerVersion } from '@maestra/client/postgres/version'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalHost } from '../../packages/maestra/src/host/local/local-host.js'
import { copyPrimary } from '../../packages/maestra/src/server/copy-primary.js'
import { ClusterFolder, quickParameters } from '../harness/cluster-folder.js'
import { newest } from '../harness/majors.js'
import { stopServer } from '../harness/servers.js'
import { sql } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

const nodes = ['db1', 'db2']
let workspace: Workspace
let shop: ClusterFolder

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', nodes)
  declare()
  await shop.apply()
})

afterAll(() => workspace.remove())

function declare(...lines: readonly string[]): void {
  shop.declare({ version: newest.version, nodes, parameters: [...quickParameters, ...lines] })
}

/** What PostgreSQL has of Maestra's settings of before. */
function kept(): readonly string[] {
  return nodes.flatMap((node) => readdirSync(shop.data(node)).filter((name) => name.startsWith('maestra.before')))
}

async function expectLogins(): Promise<void> {
  for (const node of nodes) {
    expect(await sql(shop.url(node), 'show session_preload_libraries')).toEqual([{ session_preload_libraries: '' }])
  }
}

describe('settings that keep every session from beginning', () => {
  it.each(['local_preload_libraries', 'session_preload_libraries'])(
    'are taken back after a reload (%s), on the primary before any standby has them',
    async (name) => {
      declare(`${name}: nowhere`)
      for (const _time of [1, 2]) {
        const run = await shop.run(['apply', '--yes'])
        expect(run.code).toBe(1)
        expect(run.stderr).toMatch(
          /^Error: db1 lets nobody in with what is declared: could not access file ".*nowhere": .*; it runs with its settings of before\n/,
        )
        expect(run.stderr).toContain(`Try: correct it in ${shop.file('maestra.yaml')}`)
        await expectLogins()
        expect(run.stdout).not.toContain('✓ db2: reload')
      }
      declare('work_mem: 5MB')
      await shop.apply()
      expect(await sql(shop.url('db2'), 'show work_mem')).toEqual([{ work_mem: '5MB' }])
      expect(kept()).toEqual([])
      declare()
      await shop.apply()
    },
  )

  it('are taken back after a restart', async () => {
    declare('session_preload_libraries: nowhere', 'max_files_per_process: 900')
    for (const _time of [1, 2]) {
      const run = await shop.run(['apply', '--yes'])
      expect(run.code).toBe(1)
      expect(run.stderr).toMatch(
        /^Error: db\d (?:lets nobody in|started and let nobody in).*"nowhere".*its settings of before\n/,
      )
      await expectLogins()
    }
    declare()
    await shop.apply()
    expect(kept()).toEqual([])
  })

  it('are taken back where a stopped server is started with them', async () => {
    await stopServer(shop.data('db2'))
    await stopServer(shop.data('db1'))
    declare('session_preload_libraries: nowhere')
    const run = await shop.run(['apply', '--yes'])
    expect(run.code).toBe(1)
    expect(run.stderr).toMatch(/^Error: db1 started and let nobody in: .*; it runs again with its settings of before\n/)
    expect(await sql(shop.url('db1'), 'show session_preload_libraries')).toEqual([{ session_preload_libraries: '' }])
    declare()
    await shop.apply()
    await expectLogins()
    expect(kept()).toEqual([])
  })
})

describe('ssl without what it needs', () => {
  it('is not begun, though a reload would take it, and says which file to put where', async () => {
    declare('ssl: on')
    for (const _time of [1, 2]) {
      const run = await shop.run(['apply', '--yes'])
      expect(run.code).toBe(1)
      expect(run.stderr).toMatch(
        /^Error: db\d would not start .*: "ssl" is on, and .*\/db\d\/server.crt \(ssl_cert_file\)/,
      )
      expect(run.stdout).not.toContain('✓')
    }
    expect(await sql(shop.url('db1'), 'show ssl')).toEqual([{ ssl: 'off' }])
    declare()
    expect((await shop.run(['plan'])).stdout).toContain('nothing to do')
  })
})

describe('a copy of a server that keeps settings of before', () => {
  it('has neither these nor its trials: they are of another node', async () => {
    const [row] = await sql<{ id: string }>(
      shop.url('db1'),
      'select system_identifier::text as id from pg_control_system()',
    )
    const [password = ''] = shop.passwords()
    const host = new LocalHost({ sync: false })
    const login = {
      node: 'db1',
      host: '127.0.0.1',
      port: shop.port('db1'),
      user: 'postgres',
      password: new Secret(password),
    }
    const data = shop.file('copied')
    await copyPrimary(host, {
      node: 'db2',
      data,
      account: host.processes.self(),
      binaries: { directory: '/nowhere', version: parseServerVersion('18.4') },
      primary: login,
      superuser: login,
      copies: 'primary',
      systemIdentifier: row?.id ?? '',
      slot: 'db2',
      slotKeeper: login,
      configuration: { settings: "maestra.node = 'db2'\n", hbaLines: [] },
      passfile: undefined,
      baseBackup: { with: 'maestra', checkpoint: 'fast', maxRateKb: undefined, verify: true },
      sync: false,
      receive: async ({ directory }) => {
        for (const name of ['maestra.conf', 'maestra.before.conf', 'maestra.trial.db1.conf', 'pg_hba.conf']) {
          writeFileSync(join(directory, name), '')
        }
      },
    })
    expect(readdirSync(data).filter((name) => name.startsWith('maestra.'))).toEqual(['maestra.conf'])
  })
})
