import { newest } from '../harness/majors.js'
import { describeBaseBackup } from './base-backup.suite.js'

describeBaseBackup(newest)
