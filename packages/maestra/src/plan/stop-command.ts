import type { ProcessObservation } from '../cluster/observation.js'

/**
 * How to stop a server in order, for its owner and for root alike: SIGINT is PostgreSQL's fast shutdown, and pg_ctl
 * refuses root.
 */
export function stopCommand(process: ProcessObservation): string {
  return process.kind === 'running' ? ` (kill -INT ${process.pid})` : ''
}
