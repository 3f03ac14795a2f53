import { afterAll, beforeAll } from 'vitest'
import { installMajors, majorsIn } from '../harness/installed-majors.js'
import { oldest } from '../harness/majors.js'
import { openWorkspace } from '../harness/workspace.js'
import { describeBaseBackup } from '../integration/base-backup.suite.js'
import { describeCluster } from '../integration/cluster.suite.js'
import { describeEditedSettings } from '../integration/edited-settings.suite.js'
import { describeHeal } from '../integration/heal.suite.js'
import { describeRestart } from '../integration/restart.suite.js'
import { describeSandbox } from '../integration/sandbox.suite.js'
import { describeStatus } from '../integration/status.suite.js'

const workspace = openWorkspace()
const folder = workspace.folder('majors')

beforeAll(() => installMajors(workspace, folder), 300_000)
afterAll(() => workspace.remove())

for (const major of oldest === undefined ? majorsIn(folder) : [oldest, ...majorsIn(folder)]) {
  describeBaseBackup(major)
  describeCluster(major)
  describeRestart(major, { briefly: true })
  describeEditedSettings(major)
  describeHeal(major)
  describeStatus(major)
  describeSandbox(major, folder)
}
