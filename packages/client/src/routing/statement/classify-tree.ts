import type { CatalogNames } from './catalog-names.js'
import { type Proof, proveRead, proveRowChange } from './read-proof.js'
import { provenRead, type Statement, type StatementKind, type StatementReason } from './statement.js'
import { utilityOf } from './utilities.js'
import type { Doubt, TreeNode } from './vocabulary.js'

/** What the grammar makes of a text. */
export type ParsedText = { readonly stmts?: readonly { readonly stmt?: object }[] }

/** Judges a text that was parsed; hints are not its business. */
export function classifyTree(parsed: ParsedText, names: CatalogNames | undefined): Statement {
  const statements = (parsed.stmts ?? []).map(({ stmt }) => classifyOne(stmt ?? {}, names))
  const [first] = statements
  if (first === undefined) return { ...other('empty-text'), kind: 'read-on-primary', single: false, mayWrite: false }
  if (statements.length === 1) return first
  return {
    ...other('several-statements'),
    single: false,
    maySetParameters: statements.some((each) => each.maySetParameters),
    changesNames: statements.some((each) => each.changesNames),
  }
}

/** What is sent to the primary as a write of which nothing else is known; for the callers to say more. */
export function other(reason: StatementReason, detail?: string): Statement {
  return {
    kind: 'other',
    reason,
    ...(detail !== undefined && { detail }),
    single: true,
    mayWrite: true,
    maySetParameters: false,
    changesNames: false,
    replicaByHint: false,
  }
}

function classifyOne(wrapped: object, names: CatalogNames | undefined): Statement {
  const [[name, tree] = ['nothing', {}], ...more] = Object.entries(wrapped) as [string, TreeNode][]
  if (more.length > 0) return { ...other('unknown-syntax', name), maySetParameters: true, changesNames: true }
  switch (name) {
    case 'SelectStmt':
      return classifySelect(tree, names)
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
      return classifyRowChange(name, tree, names)
    case 'TransactionStmt':
      return classifyTransaction(tree)
    case 'VariableShowStmt':
      return { ...onPrimary({ reason: 'show' }), replicaByHint: true }
    case 'ExplainStmt':
      return classifyExplain(tree, names)
    // Into a table it runs what an INSERT runs; out of one, a query or policies.
    case 'CopyStmt':
      return { ...other('utility', name), maySetParameters: tree['is_from'] !== true }
    default:
      return { ...other('utility', name), ...utilityOf(name) }
  }
}

function classifySelect(tree: TreeNode, names: CatalogNames | undefined): Statement {
  const proof = proveRead(tree, names)
  const { refuted, maySetParameters } = proof
  if (refuted !== undefined) return refutedSelect(refuted, maySetParameters || names === undefined)
  const doubt = doubtOf(proof, names)
  if (doubt !== undefined) {
    return { ...onPrimary(doubt), maySetParameters: maySetParameters || names === undefined, replicaByHint: true }
  }
  return { ...provenRead }
}

/** What was seen weighs more than what could not be looked up. */
function doubtOf({ doubt }: Proof, names: CatalogNames | undefined): Doubt | undefined {
  return doubt ?? (names === undefined ? { reason: 'names-unknown' } : undefined)
}

function refutedSelect({ reason, detail }: Doubt, maySetParameters: boolean): Statement {
  const kind: StatementKind = reason === 'select-into' || reason === 'data-changing-cte' ? 'other' : 'read-on-primary'
  return {
    ...other(reason, detail),
    kind,
    maySetParameters,
    changesNames: reason === 'select-into',
  }
}

function onPrimary({ reason, detail }: Doubt): Statement {
  return { ...other(reason, detail), kind: 'read-on-primary' }
}

/** Before the names are known it is told by PostgreSQL's own functions alone: it goes to the primary in any case. */
function classifyRowChange(name: string, tree: TreeNode, names: CatalogNames | undefined): Statement {
  const { refuted, doubt, maySetParameters } = proveRowChange(name, tree, names)
  const found = refuted ?? doubt
  const command = name.replace('Stmt', '').toUpperCase()
  if (found === undefined) return { ...other('row-change', command), kind: 'row-change', maySetParameters }
  return { ...other(found.reason, found.detail), maySetParameters }
}

const transactionKinds: ReadonlyMap<unknown, StatementKind> = new Map<unknown, StatementKind>([
  ['TRANS_STMT_BEGIN', 'begin'],
  ['TRANS_STMT_START', 'begin'],
  ['TRANS_STMT_COMMIT', 'commit'],
  ['TRANS_STMT_PREPARE', 'commit'],
  ['TRANS_STMT_ROLLBACK', 'rollback'],
  ['TRANS_STMT_SAVEPOINT', 'savepoint'],
  ['TRANS_STMT_RELEASE', 'savepoint'],
  ['TRANS_STMT_ROLLBACK_TO', 'savepoint'],
])

/** COMMIT PREPARED and ROLLBACK PREPARED stand outside of a transaction: commands like others. */
function classifyTransaction(tree: TreeNode): Statement {
  const kind = transactionKinds.get(tree['kind'])
  if (kind === undefined) return other('utility', 'TransactionStmt')
  const readOnly = kind === 'begin' && saysReadOnly(tree)
  return { ...other('transaction-control'), kind, mayWrite: kind === 'commit', ...(kind === 'begin' && { readOnly }) }
}

type Option = {
  readonly defname?: string
  readonly arg?: { readonly A_Const?: { readonly ival?: { readonly ival?: number } } }
}

function optionsOf(tree: TreeNode): readonly Option[] {
  const options = (tree['options'] ?? []) as readonly { readonly DefElem?: Option }[]
  return options.flatMap(({ DefElem }) => DefElem ?? [])
}

/** The last one counts, as for the server. */
function saysReadOnly(tree: TreeNode): boolean {
  return optionsOf(tree).findLast(({ defname }) => defname === 'transaction_read_only')?.arg?.A_Const?.ival?.ival === 1
}

/** EXPLAIN of what would be a read, or may be one, is heeded on a replica where a hint says so. ANALYZE runs it. */
function classifyExplain(tree: TreeNode, names: CatalogNames | undefined): Statement {
  const { kind, replicaByHint, maySetParameters } = classifyOne((tree['query'] ?? {}) as object, names)
  const isAnalysed = optionsOf(tree).some(({ defname }) => defname?.toLowerCase() === 'analyze')
  if (kind === 'read' || (kind === 'read-on-primary' && replicaByHint)) {
    return {
      ...onPrimary({ reason: 'explain' }),
      maySetParameters: isAnalysed && maySetParameters,
      replicaByHint: true,
    }
  }
  return { ...other('explain'), maySetParameters: isAnalysed, changesNames: isAnalysed && kind === 'other' }
}
