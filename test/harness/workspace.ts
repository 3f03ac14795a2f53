import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs'
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
  const directory = mkdtempSync(join(spreadFolder(), workspacePrefix))
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

/**
 * The folder of all workspaces. ext4 places what is made in one with this flag far from each other: it is slow to make files
 * next to where another test has just removed as many.
 */
function spreadFolder(): string {
  const folder = join(realpathSync(tmpdir()), `maestra-workspaces-${process.getuid?.() ?? 'user'}`)
  if (existsSync(folder)) return folder
  mkdirSync(folder, { recursive: true, mode: 0o711 })
  try {
    execFileSync('chattr', ['+T', folder], { stdio: 'ignore' })
  } catch {
    // Another file system: it needs no such flag.
  }
  return folder
}
