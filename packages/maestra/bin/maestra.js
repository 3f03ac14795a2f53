#!/usr/bin/env node
// Committed, so that npm links it in a fresh clone, where nothing is built yet.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
if (existsSync(main) || buildClone()) {
  const cli = await import(main)
  await cli.main(process.argv)
} else {
  console.error('Error: maestra is not built: packages/maestra/dist is missing\nTry: npm run build')
  process.exitCode = 1
}

/** In a clone with its compiler installed, builds both packages; what the compiler says goes to stderr. */
function buildClone() {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const compiler = `${root}node_modules/typescript/bin/tsc`
  if (!existsSync(compiler) || !existsSync(`${root}packages/maestra/src`)) return false
  const args = [compiler, '--build', `${root}packages/client`, `${root}packages/maestra`]
  return spawnSync(process.execPath, args, { stdio: ['ignore', 2, 2] }).status === 0 && existsSync(main)
}
