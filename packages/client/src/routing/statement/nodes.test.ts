import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import fc from 'fast-check'
import { loadModule, parseSync } from 'libpg-query'
import { beforeAll, describe, expect, test } from 'vitest'
import { classifyTree, type ParsedText } from './classify-tree.js'
import { namesWith } from './names.fixture.js'
import { readNodes, rowChangeNodes } from './nodes.js'

/** The declarations of the grammar's trees, which say more than the compiler can ask: the name of each struct. */
const grammar = createRequire(createRequire(import.meta.url).resolve('libpg-query'))
const declarations = readFileSync(join(grammar.resolve('@pgsql/types'), '../types.d.ts'), 'utf8')
const allNodes = [...declarations.matchAll(/^ {4}(\w+): \1;\n/gm)].map(([, name = '']) => name)
const interfaces = new Map(
  [...declarations.matchAll(/^export interface (\w+) \{([^}]*)\}/gm)].map(([, name = '', body = '']) => [
    name,
    new Map([...body.matchAll(/(\w+)\?: ([\w[\]]+);/g)].map(([, field = '', type = '']) => [field, type])),
  ]),
)

/** Reads of many shapes: what a tree of theirs is changed to is none any more. */
const reads = [
  'select 1',
  'with recursive a (n) as (values (1) union all select n + 1 from a) search depth first by n set o select distinct on (n) n from a',
  'select a.b, count(*) filter (where c > 1) over w, sum(d order by e) from t a tablesample system (1) window w as (partition by f order by g)',
  'select * from (select 1 union select 2) x join lateral generate_series(1, x.a) y on true order by 1 limit $1 offset 2',
  `select case a when 1 then b::int[] else (c).d[1:2] end, array[e, row(f, 2)], g in (select 1), h is null, i at time zone 'utc' from t`,
  `select json_object('a': b returning json), json_arrayagg(c order by d), json_value(e, '$' default 1 on error) from t`,
  `select * from json_table(a, '$' columns (b int path '$.c', nested path '$' columns (d text))), xmltable('/a' passing b columns c int)`,
  `select xmlelement(name a, b), xmlserialize(content c as text), grouping(d), coalesce(e, f), greatest(g, h) collate "C" from t group by cube (d)`,
  'select * from rows from (unnest(a), json_to_record(b) as (c int, d text)) with ordinality',
]

type Place = { readonly holder: Record<string, unknown> | unknown[]; readonly key: string | number }

/** Where a node that carries its name stands in a tree, that of the statement itself aside. */
function places(tree: unknown): readonly Place[] {
  if (typeof tree !== 'object' || tree === null) return []
  return Object.entries(tree).flatMap(([key, value]) => {
    const [name, ...others] = Object.keys(value ?? {})
    const isNode = key !== 'stmt' && others.length === 0 && allNodes.includes(name ?? '')
    return [...(isNode ? [{ holder: tree as Place['holder'], key }] : []), ...places(value)]
  })
}

/** Every struct of a tree that a field can be added to. */
function structs(tree: unknown): readonly Record<string, unknown>[] {
  if (typeof tree !== 'object' || tree === null) return []
  const inside = Object.values(tree).flatMap(structs)
  return Array.isArray(tree) ? inside : [tree as Record<string, unknown>, ...inside]
}

function structsOfStatement(statement: unknown): readonly Record<string, unknown>[] {
  return structs((statement as { readonly stmt?: object }).stmt)
}

const trees = new Map<string, ParsedText>()

/** A tree of its own for each caller, who may change it. */
function parsed(text: string): ParsedText {
  const tree = trees.get(text) ?? parseSync(text)
  trees.set(text, tree)
  return structuredClone(tree)
}

function kindOf(tree: ParsedText): string {
  return classifyTree(tree, names).kind
}

const names = namesWith()

/** One of the reads, and one of what is found in its tree. */
function anyOf(find: (tree: unknown) => readonly unknown[]) {
  return fc
    .constantFrom(...reads)
    .chain((text) => fc.record({ text: fc.constant(text), at: fc.nat(find(statementOf(parsed(text))).length - 1) }))
}

function statementOf(tree: ParsedText): unknown {
  return tree.stmts?.[0]
}

beforeAll(() => loadModule())

describe('the nodes of a read', () => {
  test('hold in their fields what the grammar says', () => {
    expect(allNodes.length).toBeGreaterThan(250)
    const wrong = [...rowChangeNodes].flatMap(([name, fields]) =>
      [...fields].flatMap(([field, kind]) => {
        const type = interfaces.get(name)?.get(field) ?? 'nothing'
        const expected = type === 'Node' || type === 'Node[]' ? 'nodes' : interfaces.has(type) ? type : 'plain'
        return type === 'nothing' || kind !== expected ? [`${name}.${field}: ${kind}, not ${type}`] : []
      }),
    )
    expect(wrong).toEqual([])
  })

  test.each(reads)('make a read as long as there is no other: %s', (text) => {
    expect(kindOf(parsed(text))).toBe('read')
  })

  test('are all that a read has: any other node, wherever it stands, makes it none', () => {
    const others = allNodes.filter((name) => !readNodes.has(name))
    expect(others).toEqual(
      expect.arrayContaining(['InsertStmt', 'LockingClause', 'IntoClause', 'CallStmt', 'Query', 'OpExpr']),
    )
    fc.assert(
      fc.property(anyOf(places), fc.constantFrom(...others, 'NodeOfALaterGrammar'), ({ text, at }, other) => {
        const tree = parsed(text)
        const { holder, key } = places(statementOf(tree))[at] as Place
        ;(holder as Record<string, unknown>)[key] = { [other]: {} }
        expect(kindOf(tree)).not.toBe('read')
      }),
      { numRuns: 300 },
    )
  })

  test('are there: nothing in the place of one makes it no read', () => {
    const tree = parsed('select a + 1 from t')
    const target = places(statementOf(tree)).find(({ key }) => key === 'lexpr') as Place
    ;(target.holder as Record<string, unknown>)[target.key] = {}
    expect(kindOf(tree)).toBe('read-on-primary')
  })

  test('have no other fields: one that is added to any of them makes it no read', () => {
    const fields = ['intoClause', 'lockingClause', 'xpr', 'field_of_a_later_grammar', 'raw_default', 'colquery']
    fc.assert(
      fc.property(anyOf(structsOfStatement), fc.constantFrom(...fields), ({ text, at }, field) => {
        const tree = parsed(text)
        const struct = structsOfStatement(statementOf(tree))[at] as Record<string, unknown>
        struct[field] = {}
        expect(kindOf(tree)).not.toBe('read')
      }),
      { numRuns: 300 },
    )
  })

  test('are followed only so deep', () => {
    const deep = (levels: number): string => `select ${'not '.repeat(levels)}true`
    expect(kindOf(parseSync(deep(200)))).toBe('read')
    expect(classifyTree(parseSync(deep(3_000)), names)).toMatchObject({
      kind: 'read-on-primary',
      reason: 'too-deep',
    })
  })
})
