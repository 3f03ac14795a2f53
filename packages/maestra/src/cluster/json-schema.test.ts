import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { clusterFileJsonSchema } from './json-schema.js'
import { expected } from './wording.js'

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: false | Schema
  readonly title?: string
  readonly description?: string
}

/** Every value that the schema knows, by its path as the wording names it. */
function values(schema: Schema, path = ''): (readonly [string, Schema])[] {
  const inside = (key: string) => (path === '' ? key : `${path}.${key}`)
  const children: [string, Schema][] = Object.entries(schema.properties ?? {}).map(([key, child]) => [
    inside(key),
    child,
  ])
  if (schema.items !== undefined) children.push([`${path}[]`, schema.items])
  if (typeof schema.additionalProperties === 'object') children.push([inside('*'), schema.additionalProperties])
  return children.flatMap(([at, child]) => [[at, child] as const, ...values(child, at)])
}

describe('the JSON Schema of the cluster file', () => {
  const schema = clusterFileJsonSchema() as Schema

  test('is what packages/maestra/schema/maestra.schema.json says (npx vitest run -u packages/maestra/src/cluster/json-schema writes it anew)', async () => {
    const text = `${JSON.stringify(schema, null, 2)}\n`
    await expect(text).toMatchFileSnapshot('../../schema/maestra.schema.json')
  })

  test.each(values(schema).filter(([path]) => !path.endsWith('*')))(
    'has a title and a description for %s',
    (_, value) => {
      expect(value.title).toMatch(/^[A-Z]/)
      expect(value.description).toMatch(/^[A-Z].*\.$/)
    },
  )

  test('refuses unknown keys on every level', () => {
    const mappings = values(schema).filter(([, value]) => value.properties !== undefined)
    expect(mappings.map(([path, value]) => [path, value.additionalProperties])).toStrictEqual([
      ['postgres', false],
      ['nodes[]', false],
      ['replication', false],
      ['base_backup', false],
      ['archive', false],
    ])
    expect(schema.additionalProperties).toBe(false)
  })

  test('has a wording for every value that can be wrong, and no other', () => {
    expect(Object.keys(expected).toSorted()).toStrictEqual(
      values(schema)
        .map(([path]) => path)
        .toSorted(),
    )
  })

  // zod cannot read a `not`, which only keeps reserved parameters away.
  const readable = JSON.parse(JSON.stringify(schema, (key, value) => (key === 'not' ? undefined : value)))
  const accepts = (data: unknown) => z.fromJSONSchema(readable).safeParse(data).success
  const example = (name = 'local') =>
    parse(readFileSync(join(import.meta.dirname, `../../../../examples/${name}/maestra.yaml`), 'utf8'))

  test.each(['local', 'cascade'])('accepts the example %s', (name) => {
    expect(accepts(example(name))).toBe(true)
  })

  test.each([
    ['an unknown key', { colour: 'red' }],
    ['a name with a capital', { cluster: 'Shop' }],
    ['a minor version', { postgres: { version: 18.4 } }],
    ['no nodes', { nodes: [] }],
    ['a parameter that is no value', { parameters: { work_mem: [] } }],
  ])('refuses %s', (_, change) => {
    expect(accepts({ ...example(), ...change })).toBe(false)
  })
})
