import type { Host } from '../host/host.js'
import { clusterLocators } from '../server/binaries.js'
import type { Site } from '../server/site.js'
import { installedLocator } from './installed-binaries.js'

/** Installed packages first: the same on every machine. No variable of the outside counts. */
export function sandboxSite(host: Host): Site {
  return {
    host,
    env: {},
    locators: (postgres) => [installedLocator(host, postgres.version), ...clusterLocators(host, postgres, [])],
  }
}
