import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadCluster } from '../cluster/load-cluster.js'
import type { Plan } from './plan.js'
import { planCluster } from './plan-cluster.js'
import { readSeen } from './scenarios/seen.fixture.js'
import type { Step } from './step.js'

/** max_connections of one node: what its file says, what its server runs with, and what its WAL was written with. */
type Node = { file: number; running: number | undefined; replayed: number }

const values = fc.constantFrom(50, 100, 200)
/** What somebody wrote into the file of a running server, which never took it. */
const edited = fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: values })
const cases = fc.record({
  declared: values,
  primary: fc.record({ value: values, edited, runs: fc.boolean() }),
  standby: fc.record({
    replayed: values,
    more: fc.constantFrom(0, 50),
    edited,
    runs: fc.boolean(),
    exists: fc.boolean(),
  }),
})
type Case = {
  readonly declared: number
  /** `value`: what it runs with; `file`: what its file says. */
  readonly primary: { readonly value: number; readonly file: number; readonly runs: boolean }
  readonly standby: {
    readonly replayed: number
    readonly value: number
    readonly file: number
    readonly runs: boolean
    readonly exists: boolean
  }
}

test('while settings are raised or lowered no standby has less of them than what it replays was written with', () => {
  let restarts = 0
  let putBack = 0
  fc.assert(
    fc.property(cases, (given) => {
      const found = soundCase(given)
      const plan = planFor(found)
      expect([...plan.refusals, ...plan.unknowns]).toEqual([])
      const end = run(found, plan.steps)
      expect(end).toEqual({
        db1: { file: given.declared, running: given.declared, replayed: given.declared },
        db2: { file: given.declared, running: given.declared, replayed: given.declared },
      })
      const restarted = plan.steps.filter((step) => step.kind === 'restart').length
      restarts += restarted
      if (restarted === 0 && plan.steps.some((step) => step.kind === 'reload')) putBack += 1
    }),
    { numRuns: 600 },
  )
  expect(restarts).toBeGreaterThan(50)
  expect(putBack).toBeGreaterThan(3)
})

/** A standby has at least what it has replayed, and one that runs enough for what its primary has written. */
function soundCase({ declared, primary, standby }: typeof cases extends fc.Arbitrary<infer T> ? T : never): Case {
  const { runs, exists, more } = standby
  const replayed = primary.runs && runs ? primary.value : standby.replayed
  const value = (runs ? Math.max(replayed, primary.value) : replayed) + more
  return {
    declared,
    primary: { ...primary, file: primary.runs ? (primary.edited ?? primary.value) : primary.value },
    standby: { replayed, value, file: runs ? (standby.edited ?? value) : value, runs, exists },
  }
}

function planFor({ declared, primary, standby }: Case): Plan {
  const { cluster } = loadCluster(clusterText(declared), '/shop/maestra.yaml')
  if (cluster === undefined) throw new Error('the cluster file of this test is wrong')
  const had = `its primary had max_connections`
  const runsWith = ({ value, file }: { value: number; file: number }) =>
    value === file ? '' : `; runs with max_connections ${value}`
  const lines = [
    `db1: data of shop/db1; ${had} ${primary.value}; file says max_connections ${primary.file}; ${primary.runs ? `running as primary at 0/3000000; slot db2${runsWith(primary)}` : 'stopped'}`,
    standby.exists
      ? `db2: data of shop/db2 as standby; ${had} ${standby.replayed}; file says max_connections ${standby.file}; ${standby.runs ? `running as standby at 0/3000000${runsWith(standby)}` : 'stopped'}`
      : 'db2: no directory',
  ]
  return planCluster(cluster, readSeen(`${lines.join('\n')}\n`, cluster))
}

function clusterText(value: number): string {
  return `
cluster: shop
postgres: { version: 18 }
nodes:
  - { name: db1, port: 5441, data: /srv/db1, primary: true }
  - { name: db2, port: 5442, data: /srv/db2 }
parameters: { max_connections: ${value} }
`
}

/** What the steps do, as PostgreSQL does it: a primary that starts writes its value into its WAL, and a standby replays it. */
function run({ declared, primary, standby }: Case, steps: readonly Step[]) {
  const db1: Node = {
    file: primary.file,
    running: primary.runs ? primary.value : undefined,
    replayed: primary.value,
  }
  const { value, file } = standby
  const db2: Node = standby.exists
    ? { file, running: standby.runs ? value : undefined, replayed: standby.replayed }
    : { file: 0, running: undefined, replayed: 0 }
  const nodes: Record<string, Node> = { db1, db2 }
  const holds = (held: Readonly<Record<string, string | null>> | undefined): number =>
    Number(held?.['max_connections'] ?? declared)
  for (const step of steps) {
    const node = 'node' in step ? (nodes[step.node] as Node) : db1
    if (step.kind === 'write-configuration') node.file = holds(step.held)
    if (step.kind === 'restart') expect(node.file).not.toBe(node.running)
    if (step.kind === 'copy-primary') Object.assign(db2, { file: holds(step.held), replayed: db1.replayed })
    if (step.kind === 'start' || step.kind === 'restart') {
      node.running = node.file
      if (node === db1) db1.replayed = db1.file
      expect(node.running).toBeGreaterThanOrEqual(node.replayed)
    }
    // It replays whenever both run.
    if (db1.running !== undefined && db2.running !== undefined) db2.replayed = db1.replayed
    if (db2.running !== undefined) {
      expect(db2.running, step.kind).toBeGreaterThanOrEqual(db2.replayed)
      // A crash of the primary brings in nothing that its standby has no room for, but for what is written as declared already.
      if (primary.file !== declared) expect(db2.running, step.kind).toBeGreaterThanOrEqual(db1.file)
    }
    if (step.kind === 'await-streaming') expect(db2.running).toBeDefined()
  }
  return nodes
}
