import { newest } from '../harness/majors.js'
import { describeFaults } from './faults.suite.js'

describeFaults(newest)
