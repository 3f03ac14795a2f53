import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bin, hasTerminal, type MaestraRun, type RunningMaestra, startOnTerminal } from '../harness/maestra.js'
import { processesBelow, untilGone } from '../harness/processes.js'
import { sql } from '../harness/sql.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
/** What `npm start` runs, so that Ctrl-C reaches it; without the build. */
let start: RunningMaestra
let welcome: string

beforeAll(async () => {
  workspace = openWorkspace()
  start = startOnTerminal(workspace, `exec "${process.execPath}" "${bin}" sandbox up --replicas 2`)
  const [text] = await start.prints(/^[\s\S]*Ctrl-C takes it down/)
  welcome = stripVTControlCharacters(text).replaceAll('\r', '')
})

afterAll(async () => {
  start?.signal('SIGTERM')
  await workspace.remove()
})

/** As a user would copy it from the screen; `npx` would ask a registry where the package is not linked. */
async function tryOut(command: string): Promise<MaestraRun> {
  return await startCopied(command).end()
}

function startCopied(command: string): RunningMaestra {
  const here = command.replace(/^npx maestra/, `"${process.execPath}" "${bin}"`)
  if (here === command) throw new Error(`no command of ours: ${command}`)
  return startOnTerminal(workspace, here)
}

it('prints a connection string for each server, and each of them works', async () => {
  const rows = [...welcome.matchAll(/^ +(db\d) +(primary|standby) +(postgresql:\/\/\S+)$/gm)]
  expect(rows.map(([, name, role]) => [name, role])).toEqual([
    ['db1', 'primary'],
    ['db2', 'standby'],
    ['db3', 'standby'],
  ])
  const asked = await Promise.all(rows.map(([, , , url = '']) => sql(url, 'select pg_is_in_recovery() as standby')))
  expect(asked.flat()).toEqual([{ standby: false }, { standby: true }, { standby: true }])
})

it('prints three things to try, which do what they say', async () => {
  const [write = '', read = '', refused = '', ...more] = [...welcome.matchAll(/^ +(npx maestra .*)$/gm)].map(
    ([, each = '']) => each,
  )
  expect(more).toEqual([])
  expect(welcome).toMatch(
    /1\. write on the primary[\s\S]*2\. read it on a replica[\s\S]*3\. see a replica refuse a write/,
  )
  expect(await tryOut(write)).toMatchObject({ code: 0 })
  expect(await tryOut(read)).toMatchObject({ code: 0, stdout: expect.stringMatching(/hola[\s\S]*\(1 row\)/) })
  const refusal = await tryOut(refused)
  expect(refusal.code).toBe(1)
  expect(refusal.stdout + refusal.stderr).toMatch(/Error:.*read-only transaction.*25006/)
})

it('shows the status, live, where there is a terminal to show it on', async () => {
  if (hasTerminal) await start.prints(/cluster sandbox, primary db1[\s\S]*cluster sandbox, primary db1/)
  else expect(welcome).not.toContain('primary db1')
})

it('takes everything down at Ctrl-C, and leaves nothing but the cache', async () => {
  const sandboxes = join(workspace.cache, 'sandboxes')
  const directory = readdirSync(sandboxes).find((name) => !name.endsWith('.json')) ?? ''
  const pids = processesBelow(join(sandboxes, directory))
  expect(pids.length).toBeGreaterThan(6)
  if (hasTerminal) start.type('\u0003')
  else start.signal('SIGINT')
  const run = await start.end()
  expect(run.code).toBe(0)
  expect(run.stdout).toContain('sandbox sandbox is down; nothing of it is left')
  await Promise.all(pids.map(untilGone))
  expect(readdirSync(sandboxes)).toEqual([])
  expect(existsSync(join(workspace.cache, 'templates'))).toBe(true)
})
