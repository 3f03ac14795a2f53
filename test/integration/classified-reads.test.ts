import { newest } from '../harness/majors.js'
import { describeClassifiedReads } from './classified-reads.suite.js'

describeClassifiedReads(newest.version)
