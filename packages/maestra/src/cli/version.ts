import { readFileSync } from 'node:fs'
import { packageFile } from '../host/package-file.js'

/** The version in the package's own package.json. */
export function version(): string {
  const description = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }
  return description.version
}
