import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterFolder, quickParameters } from '../harness/cluster-folder.js'
import { stopServer } from '../harness/servers.js'
import { sql } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let shop: ClusterFolder

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', ['db1', 'db2'])
  shop.declare({
    nodes: ['db1', 'db2'],
    parameters: [...quickParameters, 'work_mem: 16MB'],
    more: ['allow: [10.0.0.0/8]'],
  })
  await shop.apply()
})

afterAll(() => workspace.remove())

const file = (node: string, name: string) => join(shop.data(node), name)

/** Replaces words of a file as an editor does; the line that they stand in. */
function edit(path: string, before: string, after: string): number {
  const text = readFileSync(path, 'utf8')
  expect(text).toContain(before)
  writeFileSync(path, text.replace(before, after))
  return text.slice(0, text.indexOf(before)).split('\n').length
}

describe('what was changed by hand', () => {
  it('in the files of running nodes is shown by host, file and line, and apply brings it back', async () => {
    const memory = edit(file('db1', 'maestra.conf'), "work_mem = '16MB'", 'work_mem = 4MB')
    const rule = edit(file('db1', 'pg_hba.conf'), '10.0.0.0/8 scram-sha-256', '10.0.0.0/8 trust')
    edit(file('db2', 'postgresql.conf'), "include_if_exists 'maestra.conf'", '')
    const run = await shop.run(['plan'])
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toContain(
      [
        '   1. db1: write its configuration',
        '      its files differ from what is declared:',
        `        127.0.0.1:${file('db1', 'maestra.conf')}:${memory} work_mem 4MB -> 16MB`,
        `        127.0.0.1:${file('db1', 'pg_hba.conf')}:${rule} host all all 10.0.0.0/8 trust -> host all all 10.0.0.0/8 scram-sha-256`,
        '   2. db1: reload its configuration',
      ].join('\n'),
    )
    expect(run.stdout).toContain(
      `127.0.0.1:${file('db2', 'postgresql.conf')} (not there) -> include_if_exists 'maestra.conf'\n`,
    )
    await shop.apply()
    expect((await shop.run(['plan', '--detailed-exitcode'])).stdout).toBe('cluster shop: nothing to do\n')
  })

  it('where it wins over what is declared is warned of by its line, whether the server runs or not', async () => {
    writeFileSync(file('db1', 'extra.conf'), "# of a user\nwork_mem = '64MB'\n")
    appendFileSync(file('db1', 'postgresql.conf'), "include 'extra.conf'\n")
    await sql(shop.url('db2'), `alter system set work_mem = '1GB'`)
    const auto = readFileSync(file('db2', 'postgresql.auto.conf'), 'utf8').split('\n')
    const line = auto.findIndex((each) => each.startsWith('work_mem')) + 1
    const warnings = [
      `Warning: db1: 127.0.0.1:${file('db1', 'extra.conf')}:2 sets work_mem to 64MB, which wins over the declared 16MB\n`,
      `Warning: db2: 127.0.0.1:${file('db2', 'postgresql.auto.conf')}:${line} sets work_mem to 1GB (ALTER SYSTEM), which wins over the declared 16MB\n`,
    ] as const
    const running = await shop.run(['plan', '--detailed-exitcode'])
    expect(running.code).toBe(0)
    for (const warning of warnings) expect(running.stdout).toContain(warning)
    await stopServer(shop.data('db2'))
    expect((await shop.run(['plan'])).stdout).toContain(warnings[1])
    await shop.apply()

    // The hint, typed.
    await sql(shop.url('db2'), 'alter system reset work_mem')
    edit(file('db1', 'postgresql.conf'), "include 'extra.conf'\n", '')
    expect((await shop.run(['plan', '--detailed-exitcode'])).stdout).toBe('cluster shop: nothing to do\n')
  })
})
