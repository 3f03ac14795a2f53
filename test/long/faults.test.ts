import { oldest } from '../harness/majors.js'
import { describeFaults } from '../integration/faults.suite.js'
import { describePromotions } from '../integration/promotions.suite.js'

// The newest is in npm test.
if (oldest !== undefined) {
  describeFaults(oldest)
  describePromotions(oldest)
}
