import { newest } from '../harness/majors.js'
import { describeStatus } from './status.suite.js'

describeStatus(newest)
