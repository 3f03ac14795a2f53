import { describeReplicaFaults } from '../fault/pool/replica-faults.suite.js'

// A report of half a minute, as those are that a replica is asked for: it reads nothing, so that all else has the machine.
describeReplicaFaults({ report: '/* maestra: replica */ select pg_sleep(30)', timeout: 120_000 })
