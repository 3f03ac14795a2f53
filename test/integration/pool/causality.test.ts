import { describeCausality } from './causality.suite.js'

// With ten times as many reads in npm run test:long.
describeCausality({ reads: 10_000 })
