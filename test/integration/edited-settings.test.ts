import { newest } from '../harness/majors.js'
import { describeEditedSettings } from './edited-settings.suite.js'

describeEditedSettings(newest)
