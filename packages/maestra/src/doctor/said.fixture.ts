import { expect } from 'vitest'
import { loadCluster } from '../cluster/load-cluster.js'
import type { Rule } from './rule.js'

/** Keys of a cluster of a primary db1 in line 5, and of standbys db2 and db3 in lines 6 and 7. */
export type Keys = {
  readonly version?: number
  /** Parameters of all nodes, in line 3: `work_mem: 4MB, archive_mode: on`. */
  readonly all?: string
  /** Keys of one node: `host: 10.0.0.1, parameters: { work_mem: 4MB }`. */
  readonly db1?: string
  readonly db2?: string
  readonly db3?: string
  /** Keys of the file itself, in line 8. */
  readonly more?: string
}

/** What a rule finds in a cluster, each as `line severity: message`. */
export function said(rule: Rule, { version = 18, all = '', db1 = '', db2 = '', db3 = '', more = '' }: Keys): string[] {
  const node = (name: string, port: number, keys: string) =>
    `  - { name: ${name}, data: ${name}, port: ${port}, primary: ${name === 'db1'}, ${keys} }`
  const text = `cluster: shop
postgres: { version: ${version} }
parameters: { ${all} }
nodes:
${node('db1', 5441, db1)}
${node('db2', 5442, db2)}
${node('db3', 5443, db3)}
${more}
`
  const { cluster, locate, findings } = loadCluster(text, '/srv/maestra.yaml')
  expect(findings).toStrictEqual([])
  return rule.check({ declared: cluster, locate }).map(({ severity, message, place }) => {
    return `${place?.line} ${severity}: ${message}`
  })
}
