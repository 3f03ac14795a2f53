import type { CatalogNames } from './catalog-names.js'
import { readNodes, rowChangeNodes } from './nodes.js'
import type { StatementReason } from './statement.js'
import { type Doubt, type TreeNode, Vocabulary } from './vocabulary.js'

/** What became of the attempt to prove a tree. */
export type Proof = {
  /** It certainly is no read, or cannot be followed. A hint changes nothing of it. */
  readonly refuted?: Doubt
  /** It may be one, which is not proven. */
  readonly doubt?: Doubt
  readonly maySetParameters: boolean
}

/** More than what is written or generated, a chain of so many operators for one; each level takes four of the stack. */
const deepest = 250

const changesRows: ReadonlySet<string> = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'])

/** Fields in which the grammar has an empty object for nothing: DISTINCT without ON, a function without a list of columns. */
const mayBeAbsent: ReadonlySet<string> = new Set(['distinctClause', 'items'])

/**
 * Follows the tree of one statement and looks for what is not proven. Without the names of what was made in the database it
 * judges by PostgreSQL's own alone, and says so nowhere: that is for the caller.
 *
 * Why a tree without a doubt is a read that any node answers alike: it consists of nodes that only read; every function,
 * operator and type that it names is one of PostgreSQL's that are known to be harmless, and nobody made another of the same
 * bare name in any schema; what is called without being named (operator classes, implicit casts) is PostgreSQL's own, else
 * nothing is proven; every relation that it names is a plain table in whichever schema that name is, and so are its children,
 * so that no rule, policy, wrapper or file of one server takes part.
 *
 * What is trusted beside that, as PostgreSQL does: input and output functions of base types, which are written in C and made by
 * superusers; and that the CHECK of a domain, which a literal for an array or a range of it runs, changes nothing.
 */
export function proveRead(tree: TreeNode, names: CatalogNames | undefined): Proof {
  return new ProofWalk(names, false).prove('SelectStmt', tree)
}

/** The same for an INSERT, UPDATE, DELETE or MERGE: without a doubt there is nothing in it but that. */
export function proveRowChange(name: string, tree: TreeNode, names: CatalogNames | undefined): Proof {
  return new ProofWalk(names, true).prove(name, tree)
}

/** Names of common table expressions that can be seen at a place, innermost first. */
type Scope = { readonly name: string; readonly outer: Scope } | undefined

class ProofWalk {
  readonly #unnamed: readonly string[]
  readonly #vocabulary: Vocabulary
  #nodes: typeof readNodes
  #refuted: Doubt | undefined
  #doubt: Doubt | undefined
  #maySetParameters = false

  constructor(names: CatalogNames | undefined, isRowChange: boolean) {
    this.#unnamed = names?.unnamed ?? []
    this.#nodes = isRowChange ? rowChangeNodes : readNodes
    this.#vocabulary = new Vocabulary(names, isRowChange)
  }

  prove(name: string, tree: TreeNode): Proof {
    const [unnamed] = this.#unnamed
    if (unnamed !== undefined) this.#note({ reason: 'user-cast', detail: unnamed, setsParameters: true })
    this.#follow(name, tree, undefined, 0)
    return {
      ...(this.#refuted && { refuted: this.#refuted }),
      ...(this.#doubt && { doubt: this.#doubt }),
      maySetParameters: this.#maySetParameters,
    }
  }

  #note(doubt: Doubt | undefined): void {
    this.#doubt ??= doubt
    this.#maySetParameters ||= doubt?.setsParameters === true
  }

  #refute(reason: StatementReason, detail?: string): void {
    this.#refuted ??= { reason, ...(detail !== undefined && { detail }) }
    // What is not followed may hold anything.
    if (reason === 'unknown-syntax' || reason === 'too-deep') this.#maySetParameters = true
  }

  #follow(name: string, node: TreeNode, scope: Scope, depth: number): void {
    if (changesRows.has(name) && depth > 0) {
      this.#refute('data-changing-cte', name)
      this.#nodes = rowChangeNodes
    }
    const fields = this.#nodes.get(name)
    if (fields === undefined) this.#refute('unknown-syntax', name)
    else if (depth > deepest) this.#refute('too-deep')
    else {
      this.#note(this.#vocabulary.doubt(name, node, (relation) => isIn(scope, relation)))
      this.#followFields(name, node, fields, this.#scopeInside(node, scope, depth), depth)
    }
  }

  #followFields(name: string, node: TreeNode, fields: ReadonlyMap<string, string>, scope: Scope, depth: number): void {
    for (const [field, value] of Object.entries(node)) {
      const kind = fields.get(field)
      if (kind === 'plain' || kind === 'WithClause') continue
      if (kind === 'nodes') this.#followAll(value, scope, depth, mayBeAbsent.has(field))
      else if (kind !== undefined) this.#follow(kind, value as TreeNode, scope, depth + 1)
      else if (field === 'lockingClause' || field === 'intoClause') this.#refute(clauses[field])
      else this.#refute('unknown-syntax', `${name}.${field}`)
    }
  }

  /** One node that carries its name, or a list of them. An empty object stands for an absent one. */
  #followAll(value: unknown, scope: Scope, depth: number, mayBeEmpty = false): void {
    if (Array.isArray(value)) {
      for (const each of value) this.#followAll(each, scope, depth, mayBeEmpty)
      return
    }
    const nodes = Object.entries(value as Readonly<Record<string, TreeNode>>)
    if (nodes.length === 0 && !mayBeEmpty) this.#refute('unknown-syntax')
    for (const [name, node] of nodes) this.#follow(name, node, scope, depth + 1)
  }

  /**
   * Follows the WITH clause of a node, and gives what is seen in the rest of it: all its expressions. One of them sees
   * those before it, and with RECURSIVE all. What a set operation consists of sees those of the whole.
   */
  #scopeInside(node: TreeNode, outer: Scope, depth: number): Scope {
    const clause = node['withClause'] as
      | { readonly ctes?: readonly unknown[]; readonly recursive?: boolean }
      | undefined
    if (clause === undefined) return outer
    const expressions = clause.ctes ?? []
    const all = expressions.reduce<Scope>(withName, outer)
    let before = outer
    for (const each of expressions) {
      this.#followAll(each, clause.recursive === true ? all : before, depth + 1)
      before = withName(before, each)
    }
    const rest = Object.fromEntries(Object.entries(clause).filter(([field]) => field !== 'ctes'))
    this.#follow('WithClause', rest, outer, depth + 1)
    return all
  }
}

const clauses = { lockingClause: 'locking-clause', intoClause: 'select-into' } as const

function withName(scope: Scope, expression: unknown): Scope {
  const name = (expression as { readonly CommonTableExpr?: { readonly ctename?: string } }).CommonTableExpr?.ctename
  return name === undefined ? scope : { name, outer: scope }
}

function isIn(scope: Scope, name: string): boolean {
  for (let each = scope; each !== undefined; each = each.outer) if (each.name === name) return true
  return false
}
