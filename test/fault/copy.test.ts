import { newest, oldest } from '../harness/majors.js'
import { describeCopy } from './copy.suite.js'

describeCopy(newest)
// The package is there for Linux on x64 alone.
if (oldest !== undefined) describeCopy(oldest)
