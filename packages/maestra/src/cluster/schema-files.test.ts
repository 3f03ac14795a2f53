import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { runRules } from '../doctor/run-rules.js'
import { loadCluster } from './load-cluster.js'

const folder = join(import.meta.dirname, 'schema-files')
const published = join(import.meta.dirname, '../../schema/maestra.schema.json')
const validate = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync(published, 'utf8')),
)

/** What an editor says that holds the file to the published JSON Schema. Text that is no YAML is refused by its parser. */
function saidBySchema(text: string): string[] {
  let data: unknown
  try {
    data = parse(text)
  } catch (error) {
    return [`yaml ${(error as Error).message}`]
  }
  return validate(data) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`)
}

/** What Maestra says before it does anything with the file: the loader, and then the rules. */
function saidByLoader(text: string): string[] {
  const { cluster, locate, findings } = loadCluster(text, '/srv/maestra.yaml')
  return [...findings, ...runRules({ declared: cluster, locate })].map(
    ({ severity, rule, message }) => `${severity} ${rule}: ${message}`,
  )
}

const anError = expect.stringMatching(/^error /)

const filesIn = (name: string): (readonly [string, string])[] =>
  readdirSync(join(folder, name)).map((file) => [file, readFileSync(join(folder, name, file), 'utf8')])

describe('the published JSON Schema and the loader', () => {
  test.each(filesIn('must-pass'))('both accept %s', (_, text) => {
    expect({ schema: saidBySchema(text), loader: saidByLoader(text) }).toStrictEqual({ schema: [], loader: [] })
  })

  test.each(filesIn('must-not-pass'))('both refuse %s', (_, text) => {
    expect(saidBySchema(text)).not.toStrictEqual([])
    expect(saidByLoader(text)).toContainEqual(anError)
  })

  test.each(filesIn('only-the-loader'))('differ in what no JSON Schema can say: %s', (_, text) => {
    expect(saidBySchema(text)).toStrictEqual([])
    expect(saidByLoader(text)).toContainEqual(anError)
  })

  test('are held to files of each of these kinds, and of no other', () => {
    expect(readdirSync(folder).toSorted()).toStrictEqual(['must-not-pass', 'must-pass', 'only-the-loader'])
    for (const name of readdirSync(folder)) {
      expect(readdirSync(join(folder, name)).length).toBeGreaterThan(10)
      for (const file of readdirSync(join(folder, name))) expect(file).toMatch(/^[a-z0-9-]+\.yaml$/)
    }
  })

  test('say it of each mistake once: no two files have the same text', () => {
    const texts = readdirSync(folder).flatMap((name) => filesIn(name).map(([, text]) => text))
    expect(new Set(texts).size).toBe(texts.length)
  })
})
