import { newest } from '../harness/majors.js'
import { describeClassify } from './classify.suite.js'

describeClassify(newest.version)
