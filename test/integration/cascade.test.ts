import { newest } from '../harness/majors.js'
import { describeCascade } from './cascade.suite.js'

describeCascade(newest)
