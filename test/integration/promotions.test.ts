import { newest } from '../harness/majors.js'
import { describePromotions } from './promotions.suite.js'

describePromotions(newest)
