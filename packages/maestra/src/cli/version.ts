import { createRequire } from 'node:module'

/** The version in the package's own package.json. */
export function version(): string {
  const description = createRequire(import.meta.url)('../../package.json') as { version: string }
  return description.version
}
