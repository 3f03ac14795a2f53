import { LocalHost } from '../host/local/local-host.js'
import { installedLocator } from '../sandbox/installed-binaries.js'
import { clusterLocators } from '../server/binaries.js'
import type { Site } from '../server/site.js'

/** Where the nodes of a cluster file live: this machine, with PostgreSQL from installed packages as the last resort. */
export function clusterSite(): Site {
  const host = new LocalHost()
  return {
    host,
    env: process.env,
    locators: (postgres) => clusterLocators(host, postgres, [installedLocator(host, postgres.version)]),
  }
}
