// @ts-check
// npm run build: compiles both packages, then joins the command line, which is some 250 modules of ours and 100 of others,
// into one file: Node.js takes longer to find and open so many than to run them. The compiled modules stay what the package's
// library is, and what the command line is made of while this file is older than they are (bin/maestra.js looks).
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const maestra = join(root, 'packages/maestra')
const bundle = join(maestra, 'dist/bundle/main.js')

const compiler = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '--build', join(root, 'packages/client'), maestra],
  { stdio: 'inherit' },
)
if (compiler.status !== 0) process.exitCode = compiler.status ?? 1
else if (!(await isCurrent())) await joinModules()

/** Whether nothing was compiled, and no dependency changed, since it was made. */
async function isCurrent() {
  const sources = [
    'packages/client/dist/.tsbuildinfo',
    'packages/maestra/dist/.tsbuildinfo',
    'package-lock.json',
    'scripts/build.js',
  ]
  const [made, ...changed] = await Promise.all([bundle, ...sources.map((path) => join(root, path))].map(changedAt))
  return made !== undefined && changed.every((at) => at === undefined || at <= made)
}

/** @param {string} path */
async function changedAt(path) {
  return (await stat(path).catch(() => undefined))?.mtimeMs
}

async function joinModules() {
  const { rolldown } = await import('rolldown')
  // pg is what others hand its clients to, and loads as fast by itself.
  const build = await rolldown({ input: join(maestra, 'dist/cli/main.js'), platform: 'node', external: [/^pg(\/|$)/] })
  const { output } = await build.generate({ format: 'esm', codeSplitting: false })
  await build.close()
  const [made] = output
  await put(join(dirname(bundle), 'LICENSES.txt'), await licences(made.moduleIds))
  await put(bundle, made.code)
}

/** Of the packages whose code is in it. @param {readonly string[]} modules */
async function licences(modules) {
  const folders = new Set(modules.flatMap((id) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []))
  const texts = [...folders].toSorted().map(async (folder) => {
    const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    return `${name} ${version}\n\n${await readFile(join(folder, 'LICENSE'), 'utf8')}`
  })
  return (await Promise.all(texts)).join('\n---\n\n')
}

/** Whole or not at all: somebody may run it. @param {string} path @param {string} text */
async function put(path, text) {
  const beside = `${path}.${process.pid}`
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeFile(beside, text)
    await rename(beside, path)
  } finally {
    await rm(beside, { force: true })
  }
}
