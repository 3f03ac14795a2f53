import { allowedFunctions, keepsSettings, rowChangeFunctions } from './allowed-functions.js'
import { allowedOperators, impliedOperators } from './allowed-operators.js'
import { allowedTypes } from './allowed-types.js'
import type { CatalogNames, NotPlain } from './catalog-names.js'
import type { StatementReason } from './statement.js'

/** A node without its name: fields by name, whose values are plain, nodes or lists of nodes. */
export type TreeNode = Readonly<Record<string, unknown>>

/** Why something is not proven. */
export type Doubt = {
  readonly reason: StatementReason
  readonly detail?: string
  /** It may also change a setting of the session. */
  readonly setsParameters?: boolean
}

/**
 * The kinds of relations whose reading can run a function of anybody's choice, set_config included. The others cannot be read
 * on a standby, or mean something else there.
 */
const runsAnything: ReadonlySet<NotPlain> = new Set(['view', 'foreign-table', 'row-security'])

/** Nodes of the grammar of 18 that an older server takes for calls of a function of that name. */
const spokenAsFunctions: ReadonlyMap<string, readonly string[]> = new Map([
  ['JsonObjectConstructor', ['json_object']],
  ['JsonArrayConstructor', ['json_array']],
  ['JsonArrayQueryConstructor', ['json_array']],
  ['JsonObjectAgg', ['json_objectagg']],
  ['JsonArrayAgg', ['json_arrayagg']],
  ['JsonParseExpr', ['json']],
  ['JsonScalarExpr', ['json_scalar']],
  ['JsonSerializeExpr', ['json_serialize']],
  ['JsonFuncExpr', ['json_exists', 'json_query', 'json_value']],
  ['JsonTable', ['json_table']],
  ['MergeSupportFunc', ['merge_action']],
])

/** Holds the names in a tree against what PostgreSQL brings and what was made in the database. */
export class Vocabulary {
  readonly #names: CatalogNames | undefined
  readonly #isRowChange: boolean

  constructor(names: CatalogNames | undefined, isRowChange: boolean) {
    this.#names = names
    this.#isRowChange = isRowChange
  }

  /** The first doubt about what a node itself names; `isExpression` tells names of common table expressions. */
  doubt(name: string, node: TreeNode, isExpression: (name: string) => boolean): Doubt | undefined {
    const spoken = this.#made(spokenAsFunctions.get(name) ?? [])
    if (spoken !== undefined) return spoken
    switch (name) {
      case 'RangeVar':
        return this.#relation(node, isExpression)
      case 'FuncCall':
        return this.#function(node)
      case 'A_Expr':
        return this.#operators(node)
      case 'SortBy':
        return this.#operator(wordsOf(node['useOp']))
      case 'SubLink':
        return this.#operator(comparedBy(node))
      // These look for an operator of the name =, whichever there is.
      case 'CaseExpr':
        return node['arg'] === undefined ? undefined : this.#operator(['='])
      case 'JoinExpr':
        return node['usingClause'] || node['isNatural'] ? this.#operator(['=']) : undefined
      case 'TypeName':
        return this.#type(wordsOf(node['names']))
      case 'RangeTableSample':
        return this.#sampling(wordsOf(node['method']))
      case 'ColumnRef':
        return this.#notation(wordsOf(node['fields']).slice(1))
      case 'A_Indirection':
        return this.#notation(wordsOf(node['indirection']))
      default:
        return undefined
    }
  }

  #relation(node: TreeNode, isExpression: (name: string) => boolean): Doubt | undefined {
    const relation = String(node['relname'])
    const schema = node['schemaname']
    if (schema === undefined && isExpression(relation)) return undefined
    if (schema === 'information_schema' || /^pg_(temp|toast)/.test(String(schema ?? ''))) {
      return { reason: 'relation-not-plain', detail: `${schema}.${relation}` }
    }
    if (isCutElsewhere(relation)) return { reason: 'relation-not-plain', detail: relation, setsParameters: true }
    const [kind] = spellings(relation).flatMap((each) => this.#names?.relations.get(each) ?? [])
    if (kind === undefined) return undefined
    return { reason: 'relation-not-plain', detail: `${relation} (${kind})`, setsParameters: runsAnything.has(kind) }
  }

  #function(node: TreeNode): Doubt | undefined {
    const path = wordsOf(node['funcname'])
    const { schema, name } = split(path)
    const made = this.#made([name])
    if (made !== undefined) return made
    if (this.#names?.extensionFunctions.has(name)) return undefined
    if (schema !== undefined && schema !== 'pg_catalog') {
      return { reason: 'user-function', detail: path.join('.'), setsParameters: true }
    }
    // With one argument and the name of a type it can be a conversion to that.
    if (this.#names?.unsafeTypes.has(name)) return { reason: 'cast', detail: name, setsParameters: true }
    if (allowedFunctions.has(name) || (this.#isRowChange && rowChangeFunctions.has(name))) return undefined
    const setsParameters = this.#names === undefined || !keepsSettings.has(name)
    return { reason: 'function', detail: path.join('.'), setsParameters }
  }

  /** `(x).f` is also f(x), whatever x is, and `t.f` is f(t), with the row as its argument. */
  #notation(fields: readonly string[]): Doubt | undefined {
    const called = fields.find((name) => spellings(name).some((each) => this.#names?.notations.has(each)))
    if (called === undefined) return undefined
    return this.#made([called]) ?? (allowedFunctions.has(called) ? undefined : { reason: 'function', detail: called })
  }

  #made(names: readonly string[]): Doubt | undefined {
    const made = names.find(
      (name) => isCutElsewhere(name) || spellings(name).some((each) => this.#names?.functions.has(each)),
    )
    return made === undefined ? undefined : { reason: 'user-function', detail: made, setsParameters: true }
  }

  #operators(node: TreeNode): Doubt | undefined {
    const path = wordsOf(node['name'])
    const implied = /BETWEEN/.test(String(node['kind'])) ? impliedOperators.get(path[0] ?? '') : undefined
    if (implied === undefined) return this.#operator(path)
    return implied.map((each) => this.#operator([each])).find((doubt) => doubt !== undefined)
  }

  #operator(path: readonly string[]): Doubt | undefined {
    if (path.length === 0) return undefined
    const { schema, name } = split(path)
    if (this.#names?.operators.has(name)) return { reason: 'user-operator', detail: name, setsParameters: true }
    if (this.#names?.extensionOperators.has(name)) return undefined
    if (allowedOperators.has(name) && (schema === undefined || schema === 'pg_catalog')) return undefined
    return { reason: 'operator', detail: path.join('.'), setsParameters: true }
  }

  #type(path: readonly string[]): Doubt | undefined {
    const { schema, name } = split(path)
    if (this.#names?.unsafeTypes.has(name)) return { reason: 'cast', detail: name, setsParameters: true }
    if (this.#names?.safeTypes.has(name)) return undefined
    if (allowedTypes.has(name) && (schema === undefined || schema === 'pg_catalog')) return undefined
    return { reason: 'cast', detail: path.join('.'), setsParameters: true }
  }

  #sampling(path: readonly string[]): Doubt | undefined {
    const { schema, name } = split(path)
    const isOurs = (name === 'system' || name === 'bernoulli') && (schema === undefined || schema === 'pg_catalog')
    return (
      this.#made([name]) ?? (isOurs ? undefined : { reason: 'function', detail: path.join('.'), setsParameters: true })
    )
  }
}

/** The operator of a comparison with a query; IN is = without saying so. */
function comparedBy(subLink: TreeNode): readonly string[] {
  const path = wordsOf(subLink['operName'])
  return path.length === 0 && subLink['testexpr'] !== undefined ? ['='] : path
}

/** The words of a name, which are String nodes; stars and subscripts between them are left out. */
function wordsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((each: { readonly String?: { readonly sval?: string } }) => each.String?.sval ?? [])
}

function split(path: readonly string[]): { readonly schema: string | undefined; readonly name: string } {
  return { schema: path.at(-2), name: path.at(-1) ?? '' }
}

function isAscii(name: string): boolean {
  return !/[\u0080-\uffff]/.test(name)
}

/** A database in an encoding of one byte a character folds more letters to lower case than the grammar does. */
function spellings(name: string): readonly string[] {
  return isAscii(name) ? [name] : [name, name.toLowerCase()]
}

/** Names are cut at 63 bytes, which in another encoding than the grammar's is at another letter. */
function isCutElsewhere(name: string): boolean {
  return !isAscii(name) && Buffer.byteLength(name) > 56
}
