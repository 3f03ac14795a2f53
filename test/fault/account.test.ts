import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { giveToPlainUser, plainUser } from '../harness/as-user.js'
import { type MaestraOptions, maestra, startMaestra } from '../harness/maestra.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
  // A place for temporary files like /tmp: everybody's.
  chmodSync(workspace.folder('tmp'), 0o1777)
})

afterAll(() => workspace.remove())

/** As an account without rights, which has no MAESTRA_CACHE; its temporary folder is the only place that is certain. */
function asPlainUser(env: Readonly<Record<string, string>>): MaestraOptions {
  return { user: plainUser, env: { PATH: '/usr/bin:/bin', TMPDIR: workspace.folder('tmp'), ...env } }
}

async function sandboxDirectory(options: MaestraOptions): Promise<string> {
  const up = startMaestra(workspace, ['sandbox', 'up', '--replicas', '1', '--json'], options)
  const [line] = await up.prints(/^\{.*\}\n/)
  const found = JSON.parse(line) as { readonly directory: string; readonly nodes: readonly unknown[] }
  expect(found.nodes).toHaveLength(2)
  up.signal('SIGINT')
  expect(await up.end()).toMatchObject({ code: 0 })
  expect(existsSync(found.directory)).toBe(false)
  return found.directory
}

describe('a sandbox of a user', () => {
  it('lives in a private folder among the temporary files when there is no HOME', async () => {
    const directory = await sandboxDirectory(asPlainUser({}))
    const uid = plainUser?.uid ?? process.getuid?.()
    const cache = join(workspace.folder('tmp'), `maestra-${uid}`)
    expect(directory).toMatch(new RegExp(`^${cache}/sandboxes/`))
    expect(statSync(cache)).toMatchObject({ uid, mode: 0o040_700 })
  })

  it('lives there, too, when HOME cannot be written', async () => {
    const home = workspace.folder('read-only-home')
    giveToPlainUser(home)
    chmodSync(home, 0o555)
    const directory = await sandboxDirectory(asPlainUser({ HOME: home }))
    expect(directory.startsWith(workspace.folder('tmp'))).toBe(true)
    expect(readdirSync(home)).toEqual([])
  })

  it('lives below HOME when that can be written', async () => {
    const home = workspace.folder('own-home')
    giveToPlainUser(home)
    const list = await maestra(workspace, ['sandbox', 'list'], asPlainUser({ HOME: home }))
    expect(list).toEqual({ code: 0, stdout: 'no sandbox is up\n', stderr: '' })
    expect(existsSync(join(home, '.cache', 'maestra', 'sandboxes'))).toBe(true)
  })

  it('is refused in a cache that others could write', async () => {
    const open = workspace.folder('open-cache')
    giveToPlainUser(open)
    chmodSync(open, 0o777)
    const up = await maestra(workspace, ['sandbox', 'up'], asPlainUser({ MAESTRA_CACHE: open }))
    expect(up).toMatchObject({ code: 1, stdout: '' })
    expect(up.stderr).toContain(`${open} can be written by others`)
    expect(up.stderr).toContain('Try: set MAESTRA_CACHE')
    expect(readdirSync(open)).toEqual([])
  })
})
