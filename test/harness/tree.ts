import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every path below a directory with its mode, owner and content: equal trees are equal texts. */
export function treeOf(directory: string): string {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => `${path} ${describe(join(directory, path))}`)
    .join('\n')
}

function describe(path: string): string {
  const stat = lstatSync(path)
  const content = stat.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''
  return `${stat.mode.toString(8)} ${stat.uid} ${stat.mtimeMs} ${content}`
}
