import type { Node } from 'libpg-query'

/** The name that a node carries in a tree of the grammar. */
type NodeName = Node extends infer Each ? (Each extends unknown ? keyof Each : never) : never
type NodeOf<Name extends NodeName> = Node extends infer Each
  ? Each extends Record<Name, infer Struct>
    ? Struct
    : never
  : never

/**
 * What stands in a field: `plain` a value without nodes in it, `nodes` one or several nodes that carry their names, else the
 * name of the one node that stands there without it.
 */
type Field<Value> = [Value] extends [string | number | boolean]
  ? 'plain'
  : [Value] extends [Node | Node[]]
    ? 'nodes'
    : NodeName
type Fields<Value> = { readonly [Name in keyof Value]?: Field<NonNullable<Value[Name]>> }
type Shapes = { readonly [Name in NodeName]?: Fields<NodeOf<Name>> }

/** Where a value stands in the text, and how it was written: nothing hangs on them. */
const at = { location: 'plain' } as const

/**
 * All that a proven read may consist of: the nodes that PostgreSQL's grammar makes of a SELECT, with those of their fields that
 * it fills. Whatever is not here makes a text go to the primary. The compiler holds `plain` and `nodes` to the types of the grammar.
 */
const readShapes = {
  SelectStmt: {
    distinctClause: 'nodes',
    targetList: 'nodes',
    fromClause: 'nodes',
    whereClause: 'nodes',
    groupClause: 'nodes',
    groupDistinct: 'plain',
    havingClause: 'nodes',
    windowClause: 'nodes',
    valuesLists: 'nodes',
    sortClause: 'nodes',
    limitOffset: 'nodes',
    limitCount: 'nodes',
    limitOption: 'plain',
    withClause: 'WithClause',
    op: 'plain',
    all: 'plain',
    larg: 'SelectStmt',
    rarg: 'SelectStmt',
  },
  WithClause: { ctes: 'nodes', recursive: 'plain', ...at },
  CommonTableExpr: {
    ctename: 'plain',
    aliascolnames: 'nodes',
    ctematerialized: 'plain',
    ctequery: 'nodes',
    search_clause: 'CTESearchClause',
    cycle_clause: 'CTECycleClause',
    ...at,
  },
  CTESearchClause: { search_col_list: 'nodes', search_breadth_first: 'plain', search_seq_column: 'plain', ...at },
  CTECycleClause: {
    cycle_col_list: 'nodes',
    cycle_mark_column: 'plain',
    cycle_mark_value: 'nodes',
    cycle_mark_default: 'nodes',
    cycle_path_column: 'plain',
    ...at,
  },

  // What stands in FROM.
  RangeVar: {
    catalogname: 'plain',
    schemaname: 'plain',
    relname: 'plain',
    inh: 'plain',
    relpersistence: 'plain',
    alias: 'Alias',
    ...at,
  },
  RangeSubselect: { lateral: 'plain', subquery: 'nodes', alias: 'Alias' },
  RangeFunction: {
    lateral: 'plain',
    ordinality: 'plain',
    is_rowsfrom: 'plain',
    functions: 'nodes',
    alias: 'Alias',
    coldeflist: 'nodes',
  },
  RangeTableSample: { relation: 'nodes', method: 'nodes', args: 'nodes', repeatable: 'nodes', ...at },
  RangeTableFunc: {
    lateral: 'plain',
    docexpr: 'nodes',
    rowexpr: 'nodes',
    namespaces: 'nodes',
    columns: 'nodes',
    alias: 'Alias',
    ...at,
  },
  RangeTableFuncCol: {
    colname: 'plain',
    typeName: 'TypeName',
    for_ordinality: 'plain',
    is_not_null: 'plain',
    colexpr: 'nodes',
    coldefexpr: 'nodes',
    ...at,
  },
  JoinExpr: {
    jointype: 'plain',
    isNatural: 'plain',
    larg: 'nodes',
    rarg: 'nodes',
    usingClause: 'nodes',
    join_using_alias: 'Alias',
    quals: 'nodes',
    alias: 'Alias',
  },
  Alias: { aliasname: 'plain', colnames: 'nodes' },
  /** A column of the list behind a function that returns records; without constraints. */
  ColumnDef: { colname: 'plain', typeName: 'TypeName', is_local: 'plain', collClause: 'CollateClause', ...at },

  // Clauses.
  ResTarget: { name: 'plain', indirection: 'nodes', val: 'nodes', ...at },
  SortBy: { node: 'nodes', sortby_dir: 'plain', sortby_nulls: 'plain', useOp: 'nodes', ...at },
  GroupingSet: { kind: 'plain', content: 'nodes', ...at },
  WindowDef: {
    name: 'plain',
    refname: 'plain',
    partitionClause: 'nodes',
    orderClause: 'nodes',
    frameOptions: 'plain',
    startOffset: 'nodes',
    endOffset: 'nodes',
    ...at,
  },

  // Expressions.
  ColumnRef: { fields: 'nodes', ...at },
  ParamRef: { number: 'plain', ...at },
  A_Star: {},
  A_Const: {
    ival: 'Integer',
    fval: 'Float',
    boolval: 'Boolean',
    sval: 'String',
    bsval: 'BitString',
    isnull: 'plain',
    ...at,
  },
  A_Expr: {
    kind: 'plain',
    name: 'nodes',
    lexpr: 'nodes',
    rexpr: 'nodes',
    rexpr_list_start: 'plain',
    rexpr_list_end: 'plain',
    ...at,
  },
  A_Indices: { is_slice: 'plain', lidx: 'nodes', uidx: 'nodes' },
  A_Indirection: { arg: 'nodes', indirection: 'nodes' },
  A_ArrayExpr: { elements: 'nodes', list_start: 'plain', list_end: 'plain', ...at },
  BoolExpr: { boolop: 'plain', args: 'nodes', ...at },
  NullTest: { arg: 'nodes', nulltesttype: 'plain', ...at },
  BooleanTest: { arg: 'nodes', booltesttype: 'plain', ...at },
  CaseExpr: { arg: 'nodes', args: 'nodes', defresult: 'nodes', ...at },
  CaseWhen: { expr: 'nodes', result: 'nodes', ...at },
  CoalesceExpr: { args: 'nodes', ...at },
  MinMaxExpr: { op: 'plain', args: 'nodes', ...at },
  RowExpr: { args: 'nodes', row_format: 'plain', ...at },
  GroupingFunc: { args: 'nodes', ...at },
  SubLink: { subLinkType: 'plain', testexpr: 'nodes', operName: 'nodes', subselect: 'nodes', ...at },
  CollateClause: { arg: 'nodes', collname: 'nodes', ...at },
  TypeCast: { arg: 'nodes', typeName: 'TypeName', ...at },
  TypeName: { names: 'nodes', setof: 'plain', typmods: 'nodes', typemod: 'plain', arrayBounds: 'nodes', ...at },
  FuncCall: {
    funcname: 'nodes',
    args: 'nodes',
    agg_order: 'nodes',
    agg_filter: 'nodes',
    over: 'WindowDef',
    agg_within_group: 'plain',
    agg_star: 'plain',
    agg_distinct: 'plain',
    func_variadic: 'plain',
    funcformat: 'plain',
    ...at,
  },
  NamedArgExpr: { arg: 'nodes', name: 'plain', argnumber: 'plain', ...at },
  /** CURRENT_DATE, LOCALTIMESTAMP and the like, CURRENT_USER, CURRENT_CATALOG, CURRENT_SCHEMA: the same role on every node. */
  SQLValueFunction: { op: 'plain', typmod: 'plain', ...at },

  // XML and SQL/JSON, whose expressions are nodes of their own.
  XmlExpr: {
    op: 'plain',
    name: 'plain',
    named_args: 'nodes',
    args: 'nodes',
    xmloption: 'plain',
    indent: 'plain',
    ...at,
  },
  XmlSerialize: { xmloption: 'plain', expr: 'nodes', typeName: 'TypeName', indent: 'plain', ...at },
  JsonTable: {
    context_item: 'JsonValueExpr',
    pathspec: 'JsonTablePathSpec',
    passing: 'nodes',
    columns: 'nodes',
    on_error: 'JsonBehavior',
    alias: 'Alias',
    lateral: 'plain',
    ...at,
  },
  JsonTableColumn: {
    coltype: 'plain',
    name: 'plain',
    typeName: 'TypeName',
    pathspec: 'JsonTablePathSpec',
    format: 'JsonFormat',
    wrapper: 'plain',
    quotes: 'plain',
    columns: 'nodes',
    on_empty: 'JsonBehavior',
    on_error: 'JsonBehavior',
    ...at,
  },
  JsonTablePathSpec: { string: 'nodes', name: 'plain', name_location: 'plain', ...at },
  JsonFuncExpr: {
    op: 'plain',
    context_item: 'JsonValueExpr',
    pathspec: 'nodes',
    passing: 'nodes',
    output: 'JsonOutput',
    on_empty: 'JsonBehavior',
    on_error: 'JsonBehavior',
    wrapper: 'plain',
    quotes: 'plain',
    ...at,
  },
  JsonValueExpr: { raw_expr: 'nodes', format: 'JsonFormat' },
  JsonFormat: { format_type: 'plain', encoding: 'plain', ...at },
  JsonOutput: { typeName: 'TypeName', returning: 'JsonReturning' },
  JsonReturning: { format: 'JsonFormat' },
  JsonBehavior: { btype: 'plain', expr: 'nodes', coerce: 'plain', ...at },
  JsonArgument: { val: 'JsonValueExpr', name: 'plain' },
  JsonKeyValue: { key: 'nodes', value: 'JsonValueExpr' },
  JsonObjectConstructor: { exprs: 'nodes', output: 'JsonOutput', absent_on_null: 'plain', unique: 'plain', ...at },
  JsonArrayConstructor: { exprs: 'nodes', output: 'JsonOutput', absent_on_null: 'plain', ...at },
  JsonArrayQueryConstructor: {
    query: 'nodes',
    output: 'JsonOutput',
    format: 'JsonFormat',
    absent_on_null: 'plain',
    ...at,
  },
  JsonObjectAgg: { constructor: 'JsonAggConstructor', arg: 'JsonKeyValue', absent_on_null: 'plain', unique: 'plain' },
  JsonArrayAgg: { constructor: 'JsonAggConstructor', arg: 'JsonValueExpr', absent_on_null: 'plain' },
  JsonAggConstructor: { output: 'JsonOutput', agg_filter: 'nodes', agg_order: 'nodes', over: 'WindowDef', ...at },
  JsonParseExpr: { expr: 'JsonValueExpr', output: 'JsonOutput', unique_keys: 'plain', ...at },
  JsonScalarExpr: { expr: 'nodes', output: 'JsonOutput', ...at },
  JsonSerializeExpr: { expr: 'JsonValueExpr', output: 'JsonOutput', ...at },
  JsonIsPredicate: { expr: 'nodes', format: 'JsonFormat', item_type: 'plain', unique_keys: 'plain', ...at },

  // Values and lists.
  List: { items: 'nodes' },
  String: { sval: 'plain' },
  Integer: { ival: 'plain' },
  Float: { fval: 'plain' },
  Boolean: { boolval: 'plain' },
  BitString: { bsval: 'plain' },
} as const satisfies Shapes

/** What a plain row change has beside what a read has. */
const rowChangeShapes = {
  InsertStmt: {
    relation: 'RangeVar',
    cols: 'nodes',
    selectStmt: 'nodes',
    onConflictClause: 'OnConflictClause',
    returningClause: 'ReturningClause',
    withClause: 'WithClause',
    override: 'plain',
  },
  UpdateStmt: {
    relation: 'RangeVar',
    targetList: 'nodes',
    whereClause: 'nodes',
    fromClause: 'nodes',
    returningClause: 'ReturningClause',
    withClause: 'WithClause',
  },
  DeleteStmt: {
    relation: 'RangeVar',
    usingClause: 'nodes',
    whereClause: 'nodes',
    returningClause: 'ReturningClause',
    withClause: 'WithClause',
  },
  MergeStmt: {
    relation: 'RangeVar',
    sourceRelation: 'nodes',
    joinCondition: 'nodes',
    mergeWhenClauses: 'nodes',
    returningClause: 'ReturningClause',
    withClause: 'WithClause',
  },
  OnConflictClause: { action: 'plain', infer: 'InferClause', targetList: 'nodes', whereClause: 'nodes', ...at },
  InferClause: { indexElems: 'nodes', whereClause: 'nodes', conname: 'plain', ...at },
  IndexElem: {
    name: 'plain',
    expr: 'nodes',
    collation: 'nodes',
    opclass: 'nodes',
    ordering: 'plain',
    nulls_ordering: 'plain',
  },
  ReturningClause: { options: 'nodes', exprs: 'nodes' },
  ReturningOption: { option: 'plain', value: 'plain', ...at },
  MergeWhenClause: {
    matchKind: 'plain',
    commandType: 'plain',
    override: 'plain',
    condition: 'nodes',
    targetList: 'nodes',
    values: 'nodes',
  },
  MergeSupportFunc: { msftype: 'plain', ...at },
  SetToDefault: { ...at },
  MultiAssignRef: { source: 'nodes', colno: 'plain', ncolumns: 'plain' },
} as const satisfies Shapes

/** From the name of a field to what stands in it; the names of nodes are looked up in the same way. */
export type NodeFields = ReadonlyMap<string, string>

function mapOf(...shapes: readonly Readonly<Record<string, Readonly<Record<string, string>>>>[]) {
  const entries = shapes.flatMap((each) => Object.entries(each))
  return new Map(entries.map(([name, fields]): [string, NodeFields] => [name, new Map(Object.entries(fields))]))
}

export const readNodes: ReadonlyMap<string, NodeFields> = mapOf(readShapes)
export const rowChangeNodes: ReadonlyMap<string, NodeFields> = mapOf(readShapes, rowChangeShapes)
