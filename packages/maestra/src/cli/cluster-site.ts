import { LocalHost } from '../host/local/local-host.js'
import { embeddedLocator } from '../sandbox/embedded-binaries.js'
import { clusterLocators } from '../server/binaries.js'
import type { Site } from '../server/site.js'

/** Where the nodes of a cluster file live: this machine, with the PostgreSQL that comes along as the last resort. */
export function clusterSite(): Site {
  const host = new LocalHost()
  const embedded = embeddedLocator(host)
  return { host, env: process.env, locators: (postgres) => clusterLocators(host, postgres, [embedded]) }
}
