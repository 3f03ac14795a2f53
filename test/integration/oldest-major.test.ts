import { oldestMajor } from '@maestra/client/postgres/version'
import { expect, it } from 'vitest'
import { oldest } from '../harness/majors.js'
import { describeBaseBackup } from './base-backup.suite.js'
import { describeCascade } from './cascade.suite.js'
import { describeClassifiedReads } from './classified-reads.suite.js'
import { describeClassify } from './classify.suite.js'
import { describeCluster } from './cluster.suite.js'
import { describeEditedSettings } from './edited-settings.suite.js'
import { describeHeal } from './heal.suite.js'
import { describeRestart } from './restart.suite.js'
import { describeSandbox } from './sandbox.suite.js'
import { describeStatus } from './status.suite.js'

it('is the one that these tests have programs of, where they have any', () => {
  expect(oldest?.version ?? oldestMajor).toBe(oldestMajor)
})

// The package is there for Linux on x64 alone.
if (oldest !== undefined) {
  describeBaseBackup(oldest)
  describeCluster(oldest, { briefly: true })
  describeRestart(oldest, { briefly: true })
  describeEditedSettings(oldest)
  describeHeal(oldest, { briefly: true })
  describeCascade(oldest, { briefly: true })
  describeStatus(oldest, { briefly: true })
  describeSandbox(oldest, '/')
  describeClassify(oldest.version)
  describeClassifiedReads(oldest.version)
}
