import { type Tablespace, tablespacesText } from '../cluster/tablespace.js'
import { type ClusterView, type NodeView, upstreamsOf } from './cluster-view.js'
import { type Draft, nothing, refused } from './draft.js'
import { psqlCommand } from './psql-command.js'

/**
 * A standby finds a tablespace at the place where its primary has it. On one machine both would write into one
 * directory, so that nothing is copied.
 */
export function checkTablespaces(view: ClusterView, standby: NodeView): Draft {
  const { primary } = view
  // A standby has those of its primary, and can be copied while that is down.
  for (const { declared, observed } of [primary, ...upstreamsOf(view, standby)]) {
    if (observed.server.kind !== 'up') continue
    const { tablespaces } = observed.server
    const [first] = tablespaces
    if (first === undefined) return nothing
    return refused(standby.declared.name, `${declared.name} ${tablespacesText(tablespaces)}`, wayOut(primary, first))
  }
  return nothing
}

function wayOut(primary: NodeView, { name }: Tablespace): string {
  const move = `alter table all in tablespace ${identifier(name)} set tablespace pg_default`
  return `move what is in it, in each database, and drop it: ${psqlCommand(primary.declared, move)}; the same for indexes and materialized views`
}

/** In quotes where PostgreSQL would read another name. */
function identifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
