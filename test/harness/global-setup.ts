import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Builds first, so that the command lines that tests spawn are those of the sources. */
export default function setup(): void {
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
