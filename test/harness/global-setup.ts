import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { settle } from './ledger.js'

/** Ends what a killed run left; then builds, so that the command lines that tests spawn are those of the sources. */
export default async function setup(): Promise<void> {
  await settle()
  const root = fileURLToPath(new URL('../..', import.meta.url))
  execFileSync(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '--build', 'packages/client', 'packages/maestra'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  )
}
