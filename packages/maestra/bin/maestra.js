#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// The bin is committed, so that npm links it in a fresh clone before anything is built.
const main = new URL('../dist/cli/main.js', import.meta.url)
if (existsSync(fileURLToPath(main))) {
  const { main: run } = await import(main.href)
  await run(process.argv)
} else {
  console.error('Error: maestra is not built yet (packages/maestra/dist is missing)\nTry: npm run build')
  process.exitCode = 1
}
