import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningMaestra, startMaestra } from '../harness/maestra.js'
import type { Major } from '../harness/majors.js'
import { sql, untilRows } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

// One describe after the other: each opens its own.
let workspace: Workspace
let up: RunningMaestra
let folder: string
let nodes: readonly { readonly name: string; readonly url: string }[]

function urlOf(name: string): string {
  return nodes.find((node) => node.name === name)?.url ?? ''
}

async function sandbox(...args: readonly string[]): Promise<void> {
  const run = await startMaestra(workspace, ['sandbox', ...args], { cwd: folder }).end()
  expect(run).toMatchObject({ code: 0, stderr: '' })
}

/** Replicas of that major version, started in a folder where its package is found, and what is done to them. */
export function describeSandbox(major: Major, cwd: string): void {
  describe(`a sandbox of PostgreSQL ${major.version}`, () => {
    beforeAll(async () => {
      workspace = openWorkspace()
      folder = cwd
      const args = ['sandbox', 'up', '--pg', `${major.version}`, '--replicas', '2', '--json']
      up = startMaestra(workspace, args, { cwd })
      nodes = JSON.parse((await up.prints(/^\{.*\}$/m))[0]).nodes
      await sql(urlOf('db1'), 'create table step (name text)')
    })

    afterAll(async () => {
      up?.signal('SIGTERM')
      await up?.end()
      await workspace.remove()
    })

    it('is of that version on every server', async () => {
      const text = `select current_setting('server_version_num')::int / 10000 as major`
      for (const { url } of nodes) expect(await sql(url, text)).toEqual([{ major: major.version }])
    })

    it('has a replica that replays as late as it is told', async () => {
      await sandbox('lag', 'db2', '90s')
      const delay = 'show recovery_min_apply_delay'
      expect(await sql(urlOf('db2'), delay)).toEqual([{ recovery_min_apply_delay: '90s' }])
      await sandbox('lag', 'db2', '0')
      expect(await sql(urlOf('db2'), delay)).toEqual([{ recovery_min_apply_delay: '0' }])
    })

    it('has a replica that stands still while it is paused', async () => {
      await sandbox('pause', 'db2')
      await sql(urlOf('db1'), `insert into step values ('paused')`)
      await untilRows(urlOf('db3'), 'select name from step', [{ name: 'paused' }])
      expect(await sql(urlOf('db2'), 'select name from step')).toEqual([])
      await sandbox('resume', 'db2')
      await untilRows(urlOf('db2'), 'select name from step', [{ name: 'paused' }])
    })

    it('has replicas that catch up, one that was cut off and one that was killed', async () => {
      await sandbox('cut', 'db3')
      await sandbox('kill', 'db2')
      await sql(urlOf('db1'), `delete from step`)
      await sandbox('mend', 'db3')
      await sandbox('start', 'db2')
      for (const name of ['db2', 'db3']) await untilRows(urlOf(name), 'select name from step', [])
    })

    it('has a replica that takes the place of the primary', async () => {
      await sandbox('promote', 'db2')
      await sql(urlOf('db2'), `insert into step values ('promoted')`)
      await untilRows(urlOf('db3'), 'select name from step', [{ name: 'promoted' }])
    })
  })
}
