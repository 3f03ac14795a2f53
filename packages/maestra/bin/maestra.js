#!/usr/bin/env node
// Committed, so that npm links it in a fresh clone, where nothing is built yet.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadWithKeptCode } from './kept-code.js'

// As Node.js 21 has it: where it is not there, pg makes a Response to learn where it runs, and all of fetch is loaded for that.
globalThis.navigator ??= { userAgent: `Node.js/${process.versions.node}` }

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
if (existsSync(main) || buildClone()) {
  const file = joined()
  // An apply goes through more of the code than any other command.
  const cli = file === undefined ? await import(main) : loadWithKeptCode(file, () => process.argv.includes('apply'))
  await cli.main(process.argv)
} else {
  console.error('Error: maestra is not built: packages/maestra/dist is missing\nTry: npm run build')
  process.exitCode = 1
}

/** All its modules in one file, which starts sooner; in a clone only where nothing was compiled since. */
function joined() {
  const bundle = fileURLToPath(new URL('../dist/bundle/main.cjs', import.meta.url))
  const madeAt = changedAt('../dist/bundle/main.cjs')
  const compiledAt = [changedAt('../dist/.tsbuildinfo'), changedAt('../../client/dist/.tsbuildinfo')]
  return madeAt > 0 && compiledAt.every((at) => at <= madeAt) ? bundle : undefined
}

/** 0 for what is not there. */
function changedAt(path) {
  return statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** In a clone with its compiler installed, builds both packages; what the compiler says goes to stderr. */
function buildClone() {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  if (!existsSync(`${root}node_modules/typescript`) || !existsSync(`${root}packages/maestra/src`)) return false
  return (
    spawnSync(process.execPath, [`${root}scripts/build.js`], { stdio: ['ignore', 2, 2] }).status === 0 &&
    existsSync(main)
  )
}
