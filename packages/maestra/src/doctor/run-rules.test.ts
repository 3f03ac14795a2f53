import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadCluster } from '../cluster/load-cluster.js'
import { rules } from './rules.js'
import { runRules } from './run-rules.js'

const wrong = `cluster: shop
postgres: { version: 18 }
parameters: { wal_level: minimal, max_connections: many }
nodes:
  - { name: db1, data: db1, primary: true }
  - { name: db2, data: db1 }
  - { name: db3, data: db3, port: 5433, primary: true, parameters: { max_wal_senders: 1 } }
`

function said(text: string, withPlaces: boolean): string[] {
  const { cluster, locate } = loadCluster(text, '/srv/maestra.yaml')
  const view = withPlaces ? { declared: cluster, locate } : { declared: cluster }
  return runRules(view).map(({ place, rule, message }) => `${place?.line ?? '-'} ${rule}: ${message}`)
}

describe('runRules', () => {
  test('gives what every rule finds, in the order of the file, a line that all nodes share once', () => {
    expect(said(wrong, true)).toMatchInlineSnapshot(`
      [
        "3 wal-level: \`wal_level\` is minimal: such WAL is not enough for a standby",
        "3 whole-numbers: \`max_connections\` must be a whole number, not "many"",
        "6 duplicate-port: nodes db1 and db2 both listen on 127.0.0.1, port 5432",
        "6 duplicate-data: nodes db1 and db2 have the same data directory /srv/db1",
        "7 one-primary: node db3 is a second primary; db1 is the first",
      ]
    `)
  })

  test('does without places', () => {
    expect(said(wrong, false).toSorted()).toStrictEqual(
      said(wrong, true)
        .map((text) => text.replace(/^\d+/, '-'))
        .toSorted(),
    )
  })

  test('finds nothing in a view of nothing', () => {
    expect(runRules({ declared: undefined })).toStrictEqual([])
  })

  const examples = join(import.meta.dirname, '../../../../examples')
  const clusterFiles = readdirSync(examples).filter((name) => existsSync(join(examples, name, 'maestra.yaml')))
  // The page that people follow has no sender to spare.
  const knownOf: Readonly<Record<string, readonly string[]>> = { page: ['max-wal-senders'] }
  test.each(clusterFiles)('finds nothing unknown in examples/%s', (name) => {
    const path = join(examples, name, 'maestra.yaml')
    const { cluster, locate } = loadCluster(readFileSync(path, 'utf8'), path)
    expect(runRules({ declared: cluster, locate }).map(({ rule }) => rule)).toStrictEqual(knownOf[name] ?? [])
  })
})

describe('the registry', () => {
  const files = readdirSync(join(import.meta.dirname, 'rules')).filter((file) => !file.endsWith('.test.ts'))

  test('has every rule that there is, under the name of its file', () => {
    expect(rules.map((rule) => `${rule.name}.ts`).toSorted()).toStrictEqual(files.toSorted())
  })

  test('says of each rule in whole sentences why it is one', () => {
    for (const rule of rules) expect(rule.why).toMatch(/^[A-Z].*\.$/)
  })
})
