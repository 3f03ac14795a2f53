import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { maestra, type RunningMaestra, startMaestra } from '../harness/maestra.js'
import { processesBelow, untilGone } from '../harness/processes.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
})

afterAll(() => workspace.remove())

/** As npm delivers Ctrl-C: from the terminal and from npm, one right after the other. */
function interrupt(run: RunningMaestra): void {
  run.signal('SIGINT')
  run.signal('SIGINT')
}

function sandboxFiles(): readonly string[] {
  return readdirSync(join(workspace.cache, 'sandboxes'))
}

describe('Ctrl-C', () => {
  it('ends an apply between two steps, which says what is left; the next one goes on', async () => {
    const shop = await ClusterFolder.open(workspace, 'shop', ['db1', 'db2'])
    const apply = startMaestra(workspace, ['apply', '--yes'], { cwd: shop.directory })
    await apply.prints(/✓ db1: initialise/)
    interrupt(apply)
    const run = await apply.end()
    expect(run.code).toBe(130)
    expect(run.stderr).toMatch(
      /^Error: stopped by SIGINT; left to do: .*; db2: wait until it streams from db1\nTry: maestra apply/,
    )
    expect(readdirSync(shop.directory).filter((name) => name.includes('.maestra-'))).toEqual([])
    await shop.apply()
    expect((await shop.status()).nodes.map((node) => node.state)).toEqual(['running', 'streaming'])
  })

  it('ends an apply in the middle of a step, whose work is undone', async () => {
    const shop = await ClusterFolder.open(workspace, 'shop-2', ['db1'])
    const apply = startMaestra(workspace, ['apply', '--yes'], { cwd: shop.directory })
    await apply.prints(/✓ complete the passfile/)
    interrupt(apply)
    const run = await apply.end()
    expect(run.code).toBe(130)
    expect(run.stderr).toContain('left to do: db1: initialise a new primary')
    expect(readdirSync(shop.directory)).toEqual(['maestra.pgpass', 'maestra.yaml'])
    await Promise.all(processesBelow(shop.directory).map(untilGone))
  })

  it('takes a sandbox down that is up, and the command has done its work', async () => {
    const up = startMaestra(workspace, ['sandbox', 'up', '--replicas', '1', '--json'])
    const [line] = await up.prints(/^\{.*\}\n/)
    const { directory } = JSON.parse(line) as { readonly directory: string }
    const pids = processesBelow(directory)
    expect(pids.length).toBeGreaterThan(2)
    interrupt(up)
    expect(await up.end()).toMatchObject({ code: 0, stdout: line })
    await Promise.all(pids.map(untilGone))
    expect(existsSync(directory)).toBe(false)
    expect(sandboxFiles()).toEqual([])
  })

  it.each(['complete the passfile', 'db1: initialise', 'db1: start', 'db2: copy'])(
    'while a sandbox starts (after %s) leaves nothing of it',
    async (step) => {
      const up = startMaestra(workspace, ['sandbox', 'up', '--replicas', '1'])
      await up.prints(new RegExp(`✓ ${step}`))
      interrupt(up)
      const run = await up.end()
      expect(run.code).toBe(130)
      expect(run.stderr).toContain('stopped by SIGINT')
      expect(run.stderr).not.toContain('maestra apply')
      expect(sandboxFiles()).toEqual([])
      await Promise.all(processesBelow(join(workspace.cache, 'sandboxes')).map(untilGone))
    },
  )

  it('is what TERM and HUP are, too', async () => {
    const up = startMaestra(workspace, ['sandbox', 'up', '--replicas', '0', '--json'])
    await up.prints(/^\{.*\}\n/)
    up.signal('SIGHUP')
    expect((await up.end()).code).toBe(0)
    expect(sandboxFiles()).toEqual([])
    expect((await maestra(workspace, ['sandbox', 'list'])).stdout).toBe('no sandbox is up\n')
  })
})
