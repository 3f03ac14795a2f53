import { chmodSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clearAway, workspacePrefix, writeDown } from './ledger.js'

/** A folder of one test file with a home and a cache of its own. Servers that run below it end with it. */
export type Workspace = {
  readonly directory: string
  /** Where Maestra keeps what it keeps for a user: $MAESTRA_CACHE. */
  readonly cache: string
  /** The environment of the commands that run here: nothing of the user's own. */
  readonly env: Readonly<Record<string, string>>
  /** A new folder in it, which every account can enter. */
  folder(name: string): string
  remove(): Promise<void>
}

export function openWorkspace(): Workspace {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), workspacePrefix))
  writeDown(directory)
  // Servers run as another account than root, so it has to be able to pass.
  chmodSync(directory, 0o755)
  const folder = (name: string): string => {
    const path = join(directory, name)
    mkdirSync(path, { recursive: true, mode: 0o755 })
    return path
  }
  const cache = join(directory, 'cache')
  return {
    directory,
    cache,
    env: { PATH: '/usr/bin:/bin', HOME: folder('home'), MAESTRA_CACHE: cache, TMPDIR: folder('tmp') },
    folder,
    remove: () => clearAway(directory),
  }
}
