import { copyFileSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bin, maestra } from '../harness/maestra.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
})

afterAll(() => workspace.remove())

it('says its version, which is that of the package', async () => {
  const text = readFileSync(new URL('../../packages/maestra/package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { readonly version: string }
  expect(await maestra(workspace, ['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

it('names its commands in its help', async () => {
  const { code, stdout } = await maestra(workspace, ['--help'])
  expect(code).toBe(0)
  for (const command of ['plan', 'apply', 'status', 'sandbox'])
    expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
})

it('says how to build what is not built and cannot be built from here', async () => {
  const copy = join(workspace.folder('packages/maestra/bin'), 'maestra.js')
  copyFileSync(bin, copy)
  // Its package.json says that the file is a module.
  const manifest = new URL('../package.json', `file://${bin}`)
  copyFileSync(manifest, join(workspace.folder('packages/maestra'), 'package.json'))
  const run = await maestra(workspace, ['plan'], { script: copy })
  expect(run).toMatchObject({ code: 1, stdout: '' })
  expect(run.stderr).toMatch(/^Error: maestra is not built.*\nTry: npm run build\n$/)
})

it('takes the modules that were joined in one file, unless something was compiled since', async () => {
  const package_ = workspace.folder('built/packages/maestra')
  for (const folder of ['bin', 'dist/cli', 'dist/bundle']) workspace.folder(`built/packages/maestra/${folder}`)
  copyFileSync(bin, join(package_, 'bin/maestra.js'))
  writeFileSync(join(package_, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(package_, 'dist/cli/main.js'), 'export const main = () => console.log("modules")')
  writeFileSync(join(package_, 'dist/bundle/main.js'), 'export const main = () => console.log("joined")')
  const says = async () => (await maestra(workspace, [], { script: join(package_, 'bin/maestra.js') })).stdout.trim()
  // As it is installed.
  expect(await says()).toBe('joined')
  const info = join(package_, 'dist/.tsbuildinfo')
  writeFileSync(info, '')
  utimesSync(info, 2_000_000_000, 2_000_000_000)
  expect(await says()).toBe('modules')
  utimesSync(info, 1_000_000_000, 1_000_000_000)
  expect(await says()).toBe('joined')
  rmSync(join(package_, 'dist/bundle'), { recursive: true })
  expect(await says()).toBe('modules')
})
