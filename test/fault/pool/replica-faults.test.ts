import { describeReplicaFaults } from './replica-faults.suite.js'

// With a report of half a minute in npm run test:long.
describeReplicaFaults({ report: 'select count(*) from generate_series(1, 12000000) report', timeout: 60_000 })
