// @ts-check
// npm run build: compiles both packages, then joins the command line, which is some 250 modules of ours and 100 of others,
// into one file: Node.js takes longer to find and open so many than to run them. The compiled modules stay what the package's
// library is, and what the command line is made of while this file is older than they are (bin/maestra.js looks).
import { spawnSync } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { joinModules, put } from './join-modules.js'

const root = resolve(import.meta.dirname, '..')
const maestra = join(root, 'packages/maestra')
const bundle = join(maestra, 'dist/bundle/main.cjs')

const compiler = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '--build', join(root, 'packages/client'), maestra],
  { stdio: 'inherit' },
)
if (compiler.status !== 0) process.exitCode = compiler.status ?? 1
else if (!(await isCurrent())) await joinCommandLine()

/** Whether nothing was compiled, and no dependency changed, since it was made. */
async function isCurrent() {
  const sources = [
    'packages/client/dist/.tsbuildinfo',
    'packages/maestra/dist/.tsbuildinfo',
    'package-lock.json',
    'scripts/build.js',
    'scripts/join-modules.js',
  ]
  const [made, ...changed] = await Promise.all([bundle, ...sources.map((path) => join(root, path))].map(changedAt))
  return made !== undefined && changed.every((at) => at === undefined || at <= made)
}

/** @param {string} path */
async function changedAt(path) {
  return (await stat(path).catch(() => undefined))?.mtimeMs
}

async function joinCommandLine() {
  const { modules } = await joinModules(join(maestra, 'dist/cli/main.js'), bundle)
  await put(join(dirname(bundle), 'LICENSES.txt'), await licences(modules))
}

/** Of the packages whose code is in it. @param {readonly string[]} modules */
async function licences(modules) {
  const folders = new Set(modules.flatMap((id) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []))
  const texts = [...folders].toSorted().map(async (folder) => {
    const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    return `${name} ${version}\n\n${await licence(folder)}`
  })
  return (await Promise.all(texts)).join('\n---\n\n')
}

/** Some packages have theirs at the end of their README. @param {string} folder */
async function licence(folder) {
  const file = (await readdir(folder)).find((name) => /^license(\.|$)/i.test(name))
  if (file !== undefined) return await readFile(join(folder, file), 'utf8')
  const readme = await readFile(join(folder, 'README.md'), 'utf8')
  const [, text] = /^#+ *license\s+([\s\S]*)$/im.exec(readme) ?? []
  if (text === undefined) throw new Error(`${folder} has no licence that could go with its code`)
  return text
}
