import { oldest } from '../harness/majors.js'
import { describeFaults } from '../integration/faults.suite.js'

// The newest is in npm test.
if (oldest !== undefined) describeFaults(oldest)
