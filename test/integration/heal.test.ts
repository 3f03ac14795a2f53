import { newest } from '../harness/majors.js'
import { describeHeal } from './heal.suite.js'

describeHeal(newest)
