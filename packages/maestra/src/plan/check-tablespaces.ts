import { tablespacesText } from '../cluster/tablespace.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, nothing, refused } from './draft.js'
import { psqlCommand } from './psql-command.js'

/**
 * A standby finds a tablespace at the place where its primary has it. On one machine both would write into one
 * directory, so that nothing is copied.
 */
export function checkTablespaces({ primary, copy }: ClusterView, standby: NodeView): Draft {
  const [first] = copy?.tablespaces ?? []
  if (copy === undefined || first === undefined) return nothing
  const move = `alter table all in tablespace ${first.name} set tablespace pg_default`
  return refused(
    standby.declared.name,
    `${primary.declared.name} ${tablespacesText(copy.tablespaces)}`,
    `move what is in it, in each database, and drop it: ${psqlCommand(primary.declared, move)}; the same for indexes and materialized views`,
  )
}
