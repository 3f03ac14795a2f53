import { join } from 'node:path'
import type { Host } from './host.js'

/**
 * Whether a directory with these entries may be removed: it holds the marker file that whoever filled it wrote first, or
 * nothing at all. A marker that a killed process had only begun to write has the name of a temporary file.
 */
export function isMarked(entries: readonly string[], marker: string): boolean {
  return entries.length === 0 || entries.includes(marker) || entries.includes(`${marker}.maestra-new`)
}

/** Removes a marked directory. The marker goes last: killed half-way, what is left can still be told from anything else. */
export async function removeMarked(host: Host, directory: string, marker: string): Promise<void> {
  const entries = (await host.files.list(directory)) ?? []
  const rest = entries.filter((entry) => entry !== marker)
  await Promise.all(rest.map((entry) => host.files.removeTree(join(directory, entry))))
  await host.files.removeTree(directory)
}
