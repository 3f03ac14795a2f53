import { type DeclaredNode, superuser } from '../cluster/declared-cluster.js'

/** A command line for a hint, that runs SQL on a node; the shell takes the SQL as it is. */
export function psqlCommand(node: DeclaredNode, statement?: string): string {
  const connect = `psql -h ${node.host} -p ${node.port} -U ${superuser} -d postgres`
  return statement === undefined ? connect : `${connect} -c "${statement.replace(/["\\$`]/g, '\\$&')}"`
}
