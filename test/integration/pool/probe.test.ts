import { newest, oldest } from '../../harness/majors.js'
import { describeProbe } from './probe.suite.js'

for (const { version } of oldest === undefined ? [newest] : [oldest, newest]) describeProbe(version)
