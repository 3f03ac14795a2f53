import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Builds, so that the command lines that tests spawn are those of the sources; then ends what a killed run left. */
export default async function setup(): Promise<void> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  execFileSync(process.execPath, ['scripts/build.js'], { cwd: root, stdio: 'inherit' })
  // Only now: this file is run without the condition maestra-source, so what it imports of a package is what was built.
  const { settle } = await import('./ledger.js')
  await settle()
}
