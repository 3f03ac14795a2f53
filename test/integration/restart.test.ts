import { newest } from '../harness/majors.js'
import { describeRestart } from './restart.suite.js'

describeRestart(newest)
