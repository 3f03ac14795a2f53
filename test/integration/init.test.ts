import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bin, hasTerminal, maestra, type RunningMaestra, startOnTerminal } from '../harness/maestra.js'
import { freePorts } from '../harness/ports.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
})

afterAll(() => workspace.remove())

function folder(name: string): string {
  const path = join(workspace.directory, name)
  mkdirSync(path)
  return path
}

describe('init without a terminal', () => {
  it('writes a file that plan takes as it is', async () => {
    const cwd = folder('plain')
    const run = await maestra(workspace, ['init'], { cwd })
    expect(run).toEqual({
      code: 0,
      stdout: `${cwd}/maestra.yaml declares cluster shop: a primary and 1 replica\nNext: npx maestra plan\n`,
      stderr: '',
    })
    expect(readdirSync(cwd)).toEqual(['maestra.yaml'])
    expect(statSync(join(cwd, 'maestra.yaml')).mode & 0o777).toBe(0o644)
    const plan = JSON.parse((await maestra(workspace, ['plan', '--json'], { cwd })).stdout)
    expect(plan.findings).toEqual([])
  })

  it('writes what its options say', async () => {
    const cwd = folder('options')
    const [port = 0] = await freePorts(1)
    const options = [
      '--cluster',
      'store',
      '--pg',
      '18',
      '--replicas',
      '0',
      '--port',
      String(port),
      '--data',
      '../there',
    ]
    const run = await maestra(workspace, ['init', '--file', 'my own.yaml', ...options], { cwd })
    expect(run.stdout).toContain(
      `cluster store: a primary and 0 replicas\nNext: npx maestra plan --file 'my own.yaml'\n`,
    )
    const plan = await maestra(workspace, ['plan', '--json', '--file', 'my own.yaml'], { cwd })
    const [, initialise] = JSON.parse(plan.stdout).steps
    expect(initialise).toMatchObject({ kind: 'initialise', why: `${workspace.directory}/there/db1 holds no data yet` })
  })

  it('changes nothing where a file is already', async () => {
    const cwd = folder('taken')
    writeFileSync(join(cwd, 'maestra.yaml'), 'mine')
    const run = await maestra(workspace, ['init'], { cwd })
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toMatch(/^Error: .*maestra\.yaml is there already; it was not changed\nTry: .*--file/)
    expect(readFileSync(join(cwd, 'maestra.yaml'), 'utf8')).toBe('mine')
    expect(readdirSync(cwd)).toEqual(['maestra.yaml'])
  })

  it.each([
    [['--port', '65535'], '`port` must be a whole number from 1 to 65535, not 65536'],
    [['--replicas', '11'], '`max_wal_senders` is 10 by default'],
    [['--replicas', 'two'], 'It must be a whole number'],
  ])('writes nothing for %j, and says what is wrong', async (options, words) => {
    const cwd = folder(`wrong ${options.join('').replaceAll('/', '')}`)
    const run = await maestra(workspace, ['init', ...options], { cwd })
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain(words)
    expect(readdirSync(cwd)).toEqual([])
  })

  it('says so where it may not write', async () => {
    const run = await maestra(workspace, ['init', '--file', 'nowhere/maestra.yaml'], { cwd: folder('no-folder') })
    expect(run.code).toBe(1)
    expect(run.stderr).toMatch(/^Error: .*nowhere\/maestra\.yaml/)
  })
})

describe.runIf(hasTerminal)('init on a terminal', () => {
  function start(cwd: string, ...options: readonly string[]): RunningMaestra {
    return startOnTerminal(workspace, `cd "${cwd}" && "${process.execPath}" "${bin}" init ${options.join(' ')}`)
  }

  it('asks, takes Enter for what it proposes, and asks again where an answer is none', async () => {
    const cwd = folder('asked')
    const init = start(cwd)
    await init.prints(/Name of the cluster \[shop\] \S*$/)
    init.type('Big Shop\r')
    await init.prints(/must be a name[\s\S]*Name of the cluster \[shop\] \S*$/)
    init.type('big-shop\r')
    await init.prints(/PostgreSQL \[18\] \S*$/)
    init.type('\r')
    await init.prints(/replicas \[1\] \S*$/)
    init.type('many\r')
    await init.prints(/whole number[\s\S]*replicas \[1\] \S*$/)
    init.type('2\r')
    await init.prints(/first node \[5432\] \S*$/)
    init.type('6000\r')
    await init.prints(/for the data \[\.\/data\] \S*$/)
    expect(readdirSync(cwd)).toEqual([])
    init.type('\r')
    const run = await init.end()
    expect(run.code).toBe(0)
    expect(run.stdout).toContain('cluster big-shop: a primary and 2 replicas')
    expect(readFileSync(join(cwd, 'maestra.yaml'), 'utf8')).toMatch(/port: 6002\n {4}data: \.\/data\/db3\n/)
  })

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('leaves nothing behind after %s', async (_keys, typed) => {
    const cwd = folder(`stopped ${typed.charCodeAt(0)}`)
    const init = start(cwd)
    await init.prints(/Name of the cluster \[shop\] \S*$/)
    init.type('other\r')
    await init.prints(/PostgreSQL \[18\] \S*$/)
    init.type(typed)
    const run = await init.end()
    expect(run.code).toBe(130)
    expect(run.stdout).toContain('nothing was changed')
    expect(readdirSync(cwd)).toEqual([])
  })

  it('does not replace a file that appears while it asks', async () => {
    const cwd = folder('raced')
    const init = start(cwd)
    for (const asked of [/cluster \[/, /PostgreSQL \[/, /replicas \[/, /node \[/, /data \[/]) {
      await init.prints(asked)
      writeFileSync(join(cwd, 'maestra.yaml'), 'mine')
      init.type('\r')
    }
    const run = await init.end()
    expect(run.code).toBe(2)
    expect(run.stdout).toContain('is there already; it was not changed')
    expect(readdirSync(cwd)).toEqual(['maestra.yaml'])
    expect(readFileSync(join(cwd, 'maestra.yaml'), 'utf8')).toBe('mine')
  })

  it('does not ask for what its options say', async () => {
    const cwd = folder('told')
    const run = await start(cwd, '--replicas', '1').end()
    expect(run.code).toBe(0)
    expect(run.stdout).not.toContain('[shop]')
    expect(existsSync(join(cwd, 'maestra.yaml'))).toBe(true)
  })
})
