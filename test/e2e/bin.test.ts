import {
  chmodSync,
  chownSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bin, maestra } from '../harness/maestra.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
})

afterAll(() => workspace.remove())

/** The path of the command in the folder. */
function copyBin(folder: string): string {
  for (const name of ['maestra.js', 'kept-code.js']) copyFileSync(join(dirname(bin), name), join(folder, name))
  return join(folder, 'maestra.js')
}

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
  const copy = copyBin(workspace.folder('packages/maestra/bin'))
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
  copyBin(join(package_, 'bin'))
  writeFileSync(join(package_, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(package_, 'dist/cli/main.js'), 'export const main = () => console.log("modules")')
  writeFileSync(join(package_, 'dist/bundle/main.cjs'), 'exports.main = () => console.log("joined")')
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

/** A package whose joined file says what it was given, and the place of the code that is kept for it. */
function packageThatSays(name: string, text: string) {
  const folder = workspace.folder(`${name}/packages/maestra`)
  for (const below of ['bin', 'dist/cli', 'dist/bundle']) workspace.folder(`${name}/packages/maestra/${below}`)
  const script = copyBin(join(folder, 'bin'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'dist/cli/main.js'), '')
  const bundle = join(folder, 'dist/bundle')
  const put = (said: string) =>
    writeFileSync(join(bundle, 'main.cjs'), `exports.main = () => console.log(${JSON.stringify(said)})`)
  put(text)
  const says = async (...args: string[]) => (await maestra(workspace, args, { script })).stdout.trim()
  return { bundle, put, says, code: join(bundle, `main.cjs.${process.version}-${process.arch}.code`) }
}

it('keeps the code that V8 made of the one file, until the file is another, and that of an apply instead', async () => {
  const { bundle, put, says, code } = packageThatSays('kept', 'one')
  expect(await says()).toBe('one')
  const first = readFileSync(code)
  expect(await says()).toBe('one')
  expect(readFileSync(code).equals(first)).toBe(true)
  expect(await says('apply')).toBe('one')
  const ofApply = readFileSync(code)
  expect(ofApply.equals(first)).toBe(false)
  expect(await says('status')).toBe('one')
  expect(readFileSync(code).equals(ofApply)).toBe(true)
  // As long as the one before, which is all that V8 looks at.
  put('two')
  expect(await says()).toBe('two')
  expect(readFileSync(code).equals(ofApply)).toBe(false)
  expect(await says()).toBe('two')
  expect(readdirSync(bundle).length).toBe(2)
})

it('makes nothing of kept code that is damaged, cut off, or of another Node.js', async () => {
  const { says, code } = packageThatSays('damaged', 'well')
  expect(await says()).toBe('well')
  const whole = readFileSync(code)
  const damaged = Buffer.from(whole)
  damaged.fill(0xff, damaged.length - 200)
  for (const content of [damaged, whole.subarray(0, 100), Buffer.alloc(0), Buffer.from('x')]) {
    writeFileSync(code, content)
    expect(await says()).toBe('well')
    expect(readFileSync(code).length).toBe(whole.length)
  }
})

it.runIf(process.getuid?.() !== 0)('works in a folder that it cannot write', async () => {
  const { bundle, says } = packageThatSays('closed', 'well')
  chmodSync(bundle, 0o500)
  expect(await says()).toBe('well')
  expect(readdirSync(bundle)).toEqual(['main.cjs'])
  chmodSync(bundle, 0o700)
})

it.runIf(process.getuid?.() === 0)('leaves no code of root in the folder of somebody else', async () => {
  const { bundle, says } = packageThatSays('theirs', 'well')
  chownSync(bundle, 65_534, 65_534)
  expect(await says()).toBe('well')
  expect(readdirSync(bundle)).toEqual(['main.cjs'])
})
