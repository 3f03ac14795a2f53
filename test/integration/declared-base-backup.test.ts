import { newest, oldest } from '../harness/majors.js'
import { describeDeclaredBaseBackup } from './declared-base-backup.suite.js'

describeDeclaredBaseBackup(newest)
// The package is there for Linux on x64 alone.
if (oldest !== undefined) describeDeclaredBaseBackup(oldest)
