/** What a command can change, as the grammar names it. */
type Utility = {
  readonly maySetParameters: boolean
  readonly changesNames: boolean
}

const nothing: Utility = { maySetParameters: false, changesNames: false }
const names: Utility = { maySetParameters: false, changesNames: true }
const parameters: Utility = { maySetParameters: true, changesNames: false }
const anything: Utility = { maySetParameters: true, changesNames: true }

/**
 * Commands that are not held capable of everything. Those that run a query, a function or a text of somebody's choice can set
 * parameters; CALL and EXECUTE could also change names, which is found at the next regular look: they are too frequent for one each.
 */
const utilities: ReadonlyMap<string, Utility> = new Map<string, Utility>([
  ...of(nothing, 'VariableShowStmt ListenStmt UnlistenStmt NotifyStmt LockStmt TruncateStmt CheckPointStmt VacuumStmt'),
  ...of(nothing, 'ClosePortalStmt DeallocateStmt ConstraintsSetStmt GrantStmt GrantRoleStmt CommentStmt SecLabelStmt'),
  ...of(nothing, 'TransactionStmt CreateRoleStmt DropRoleStmt CreatedbStmt DropdbStmt'),
  ...of(parameters, 'VariableSetStmt AlterSystemStmt AlterRoleStmt AlterRoleSetStmt AlterDatabaseSetStmt LoadStmt'),
  ...of(parameters, 'CallStmt ExecuteStmt FetchStmt PrepareStmt DeclareCursorStmt RefreshMatViewStmt'),
  ...of(parameters, 'IndexStmt ReindexStmt'),
  ...of(
    names,
    'CreateStmt ViewStmt DropStmt RenameStmt CreateSeqStmt CreateEnumStmt CreateFunctionStmt CreateCastStmt DefineStmt',
  ),
  // Drops temporary tables, and sets everything back.
  ...of(anything, 'DiscardStmt'),
])

function of(utility: Utility, nodes: string): readonly (readonly [string, Utility])[] {
  return nodes.split(' ').map((node) => [node, utility] as const)
}

export function utilityOf(node: string): Utility {
  return utilities.get(node) ?? anything
}
