import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * A file of this package by its path from `package.json`. Asked for by the package's name: the command line is one file that
 * was joined from many, and so no module can tell from its own place where another file is.
 */
export function packageFile(path: string): string {
  return join(dirname(createRequire(import.meta.url).resolve('maestra/package.json')), path)
}
