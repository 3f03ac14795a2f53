import { execFile } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodePath, npm } from '../harness/npm.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

type Manifest = {
  readonly version: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
}
type Packed = { readonly name: string; readonly filename: string; readonly files: readonly { readonly path: string }[] }
type LockEntry = { readonly dependencies?: object; readonly optionalDependencies?: object }

const root = fileURLToPath(new URL('../..', import.meta.url))
const folders: Readonly<Record<string, string>> = { maestra: 'packages/maestra', '@maestra/client': 'packages/client' }
const names = Object.keys(folders)
/** Where nothing is in npm's cache, the embedded PostgreSQL is fetched. */
const installsWithinMs = 150_000

let workspace: Workspace
let packed: readonly Packed[]
/** Where both packages are installed, and pg as an application would. */
let application: string

beforeAll(async () => {
  workspace = openWorkspace()
  const tarballs = workspace.folder('tarballs')
  packed = JSON.parse(await npm(workspace, root, ['pack', '--workspaces', '--json', '--pack-destination', tarballs]))
  application = await install('application', names, [`@types/pg@${versionHere('@types/pg')}`])
}, installsWithinMs)

afterAll(() => workspace.remove())

/** An empty folder in which packages of ours are installed from their tarballs, and pg beside them. */
async function install(folder: string, ours: readonly string[], others: readonly string[] = []): Promise<string> {
  const directory = workspace.folder(folder)
  const tarballs = ours.map((name) => join(workspace.directory, 'tarballs', packedAs(name).filename))
  await npm(workspace, directory, ['install', ...tarballs, `pg@${versionHere('pg')}`, ...others])
  return directory
}

function versionHere(name: string): string {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
}

function packedAs(name: string): Packed {
  const found = packed.find((each) => each.name === name)
  if (found === undefined) throw new Error(`npm packed no ${name}`)
  return found
}

function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(join(application, 'node_modules', name, 'package.json'), 'utf8'))
}

/** Every path below a directory that is a file. */
function filesBelow(directory: string): readonly string[] {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return paths.filter((path) => lstatSync(join(directory, path)).isFile())
}

/** What an installed package can be imported by: each door with a file behind it; a pattern is written out. */
function doorsOf(name: string, condition: 'default' | 'types' = 'default'): readonly string[] {
  const files = filesBelow(join(application, 'node_modules', name)).toSorted()
  return Object.entries(manifestOf(name).exports).flatMap(([door, target]) => {
    const file = typeof target === 'string' ? target : (target[condition] ?? '')
    const [before = '', after] = file.replace('./', '').split('*')
    if (after === undefined) return files.includes(before) ? [door.replace('.', name)] : []
    const matches = files.filter((path) => path.startsWith(before) && path.endsWith(after))
    return matches.map((path) => door.replace('.', name).replace('*', path.slice(before.length, -after.length)))
  })
}

/** Runs a program in the application with an environment that knows nothing of this clone; what it prints. */
async function run(program: string, args: readonly string[]): Promise<string> {
  const env = { ...workspace.env, PATH: nodePath }
  const run = await promisify(execFile)(program, args, { cwd: application, env, timeout: 60_000 }).catch((error) => {
    throw new Error(`${[program, ...args].join(' ')} failed\n${error.stdout}\n${error.stderr}`)
  })
  return run.stdout
}

async function runScript(name: string, text: string): Promise<string> {
  writeFileSync(join(application, name), text)
  return await run(process.execPath, [name])
}

describe('the tarballs', () => {
  it.each(names)('of %s hold what is compiled from its sources, and nothing else', (name) => {
    const directory = join(root, folders[name] ?? '')
    const sources = filesBelow(join(directory, 'src')).filter((path) =>
      /(?<!\.(test|conformance|fixture))\.ts$/.test(path),
    )
    const compiled = sources.flatMap((path) => [path.replace(/\.ts$/, '.js'), path.replace(/\.ts$/, '.d.ts')])
    // The last two are all modules of the command line in one file, and whose they are.
    const ofMaestra = [
      'bin/maestra.js',
      'bin/kept-code.js',
      'schema/maestra.schema.json',
      'dist/bundle/main.cjs',
      'dist/bundle/LICENSES.txt',
    ]
    const others = { maestra: ofMaestra, '@maestra/client': [] }[name] ?? []
    const expected = ['package.json', ...others, ...compiled.map((path) => `dist/${path}`)]
    // What is left of a source that is gone: a fresh clone, from which is published, has none.
    const isStale = (path: string): boolean => {
      const [, output] = /^dist\/(.*)\.(?:js|d\.ts)$/.exec(path) ?? []
      if (others.includes(path)) return false
      return output !== undefined && !existsSync(join(directory, 'src', `${output}.ts`))
    }
    const paths = packedAs(name).files.map(({ path }) => path)
    const told = paths.filter((path) => !/^(README(\.es)?\.md|LICENSE)$/.test(path) && !isStale(path))
    expect(told.toSorted()).toEqual(expected.toSorted())
  })
})

describe('an application in which both are installed', () => {
  it('can import every door of them', async () => {
    const doors = names.flatMap((name) => doorsOf(name))
    expect(doors).toEqual(expect.arrayContaining(['maestra', 'maestra/schema.json', '@maestra/client/base/error']))
    expect(doors.length).toBeGreaterThan(15)
    const lines = doors.map((door) => {
      const how = door.endsWith('.json') ? `, { with: { type: 'json' } }` : ''
      return `opened.push([${JSON.stringify(door)}, Object.keys(await import(${JSON.stringify(door)}${how})).length > 0])`
    })
    const text = ['const opened = []', ...lines, 'console.log(JSON.stringify(opened))'].join('\n')
    expect(JSON.parse(await runScript('doors.mjs', text))).toEqual(doors.map((door) => [door, true]))
  })

  it('finds declarations behind every door', () => {
    for (const name of names) expect(doorsOf(name, 'types')).toEqual(doorsOf(name))
  })

  it('can require them from CommonJS', async () => {
    const text = `console.log(typeof require('maestra').startSandbox, typeof require('@maestra/client/base/error').MaestraError)`
    expect(await runScript('required.cjs', text)).toBe('function function\n')
  })

  it('cannot reach what is behind the doors', async () => {
    const text = `import('maestra/dist/host/local/local-host.js').catch((error) => console.log(error.code))`
    expect(await runScript('behind.mjs', text)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n')
  })

  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])(
    'is type-checked as module %s with resolution %s, and so are the declarations of both packages',
    async (module, resolution) => {
      expect(await compileConsumer(module, resolution)).toBe('')
    },
  )

  it('has a command in one file that asks for nothing of others', () => {
    const text = readFileSync(join(application, 'node_modules/maestra/dist/bundle/main.cjs'), 'utf8')
    const asked = [...text.matchAll(/\brequire\(["']([^"']+)["']\)/g)].map(([, from = '']) => from)
    expect(asked).toContain('node:net')
    // The last one is asked for in vain.
    expect(asked.filter((from) => !isBuiltin(from))).toEqual(['pg-native'])
    const licences = readFileSync(join(application, 'node_modules/maestra/dist/bundle/LICENSES.txt'), 'utf8')
    for (const name of ['commander', 'pg', 'pg-types', 'yaml', 'zod'])
      expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'))
  })

  it('has a command that says its version', async () => {
    const { version } = manifestOf('maestra')
    expect(await run('node_modules/.bin/maestra', ['--version'])).toBe(`${version}\n`)
  })

  it('starts a sandbox, of which nothing is left when it is stopped', async () => {
    const program = `
      import { startSandbox } from 'maestra'
      const sandbox = await startSandbox({ replicas: 1 })
      const states = async () => (await sandbox.status()).nodes.map((node) => node.state).join(' ')
      try {
        console.log(await states())
        await sandbox.replicas[0].cut()
        await sandbox.replicas[0].mend()
        await sandbox.replicas[0].pause()
        console.log(await states())
      } finally {
        await sandbox.stop()
      }`
    expect(await runScript('sandbox.mjs', program)).toBe('running streaming\nrunning paused\n')
    expect(readdirSync(join(workspace.cache, 'sandboxes'))).toEqual([])
  })
})

/** What the compiler of this clone says about `consumer` in the application; nothing when all is right. */
async function compileConsumer(module: string, moduleResolution: string): Promise<string> {
  writeFileSync(join(application, 'consumer.mts'), consumer(names.flatMap((name) => doorsOf(name))))
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2023',
    lib: ['es2023'],
    noEmit: true,
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    resolveJsonModule: true,
    // All that a user of TypeScript has to install beside: @types/node, and @types/pg as for pg itself.
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  }
  writeFileSync(join(application, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.mts'] }))
  return await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'])
}

/** A program that uses what the README shows, and names every door. */
function consumer(doors: readonly string[]): string {
  const lines = doors.map((door, index) => {
    const how = door.endsWith('.json') ? `default as door${index} } from '${door}' with { type: 'json' }` : undefined
    return how === undefined ? `export * as door${index} from '${door}'` : `export { ${how}`
  })
  return `
    ${lines.join('\n    ')}
    import { type ClusterStatus, type ErrorCode, MaestraError, type Sandbox, startSandbox } from 'maestra'
    import { Pool, type PoolStatistics } from '@maestra/client'
    import { causality } from '@maestra/client/http'
    import { formatLsn, type Lsn, parseLsn } from '@maestra/client/postgres/lsn'
    import type pg from 'pg'

    export async function application(pool: Pool, signal: AbortSignal): Promise<PoolStatistics> {
      const asPeer: pg.Pool = pool
      pool.on('writes-lost', ({ position, count }) => console.log(position.length, count + 1))
      pool.on('error', (error) => console.log(error.message))
      const { rows } = await pool.query<{ item: string }>('select item from orders where id = $1', [1])
      await pool.query({ text: 'select 1', target: 'primary', consistency: 'strong', signal })
      const token: string | undefined = await pool.session(async (session) => session.token())
      await pool.withToken(token, () => pool.query({ text: 'select 1', rowMode: 'array' }))
      await pool.transaction(async (client) => await client.query('select 1'), { readOnly: true })
      const client = await asPeer.connect()
      client.release()
      console.log(rows[0]?.item.length, pool.explainRoute('select 1').reason, causality(pool).length)
      return pool.stats()
    }
    export const made = (): Pool => new Pool({ host: 'db1,db2', max: 5, maxLag: 1000, whenPrimaryAway: 'wait' })

    export const code = (error: unknown): ErrorCode | undefined => error instanceof MaestraError ? error.code : undefined
    export const same = (lsn: Lsn): boolean => parseLsn(formatLsn(lsn)) === lsn

    const sandbox: Sandbox = await startSandbox({ replicas: 1, parameters: { work_mem: '5MB' } })
    try {
      const status: ClusterStatus = await sandbox.status()
      console.log(status.nodes.map((node) => node.state).join(' '))
    } finally {
      await sandbox.stop()
    }
  `
}

describe('an application in which the client alone is installed', () => {
  const mostPackages = 4
  const mostBytes = 4_000_000
  let directory: string
  let beside: readonly string[]

  beforeAll(async () => {
    directory = await install('client-alone', ['@maestra/client'])
    const lock = JSON.parse(readFileSync(join(directory, 'node_modules/.package-lock.json'), 'utf8'))
    const packages = lock.packages as Readonly<Record<string, LockEntry>>
    const ofPg = closure(packages, 'node_modules/pg')
    beside = Object.keys(packages).filter((path) => !ofPg.has(path))
  }, installsWithinMs)

  it(`has at most ${mostPackages} packages beside pg and what that brings`, () => {
    expect(beside).toContain('node_modules/@maestra/client')
    expect(beside.length, beside.join(' ')).toBeLessThanOrEqual(mostPackages)
  })

  it(`has at most ${mostBytes} bytes of them`, () => {
    const files = beside.flatMap((path) => filesBelow(join(directory, path)).map((file) => join(directory, path, file)))
    const bytes = files.reduce((sum, file) => sum + lstatSync(file).size, 0)
    expect(bytes).toBeGreaterThan(10_000)
    expect(bytes).toBeLessThanOrEqual(mostBytes)
  })
})

/** A package and all that it depends on, as paths of the lock file; npm lays them flat where nothing is there twice. */
function closure(packages: Readonly<Record<string, LockEntry>>, path: string, found = new Set<string>()): Set<string> {
  const entry = packages[path]
  if (entry === undefined || found.has(path)) return found
  found.add(path)
  for (const name of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) {
    const nested = `${path}/node_modules/${name}`
    closure(packages, nested in packages ? nested : `node_modules/${name}`, found)
  }
  return found
}
