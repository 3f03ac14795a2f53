import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadCluster } from '../cluster/load-cluster.js'
import type { Observation } from '../cluster/observation.js'
import { planCluster } from './plan-cluster.js'
import { readSeen } from './scenarios/seen.fixture.js'
import type { Step, StepOf } from './step.js'

/** db3 follows the primary, or db2. */
function clusterOf(ofDb3: string) {
  const { cluster } = loadCluster(
    `cluster: shop
postgres: { version: 18 }
nodes:
  - { name: db1, port: 5441, data: /srv/db1, primary: true }
  - { name: db3, port: 5443, data: /srv/db3, ${ofDb3} }
  - { name: db2, port: 5442, data: /srv/db2 }
parameters: { work_mem: 16MB, max_connections: 200 }
`,
    '/shop/maestra.yaml',
  )
  if (cluster === undefined) throw new Error('the cluster file of this test is wrong')
  return cluster
}
const clusters = { flat: clusterOf(''), chain: clusterOf('follows: db2') }

/** A replica db4 was declared before. */
const tells4 = 'file says maestra.standbys db2 db3 db4'

/** What a node may be in a cluster that can be brought on, so that many plans have steps. */
const sound = (name: string) => {
  const [data, running] =
    name === 'db1'
      ? [`data of shop/db1`, 'running as primary at 0/3000000; slot db2']
      : [`data of shop/${name} as standby`, 'running as standby at 0/3000000']
  const streams = name === 'db1' ? running : `${running}; streams from 127.0.0.1:5441 through ${name}`
  return fc.constantFrom(
    `${name}: no directory`,
    `${name}: ${data}; stopped`,
    `${name}: ${data}; no include; file says max_connections 100; stopped`,
    `${name}: ${data}; ${running}`,
    `${name}: ${data}; file says work_mem 4MB; ${running}`,
    `${name}: ${data}; ${streams}`,
    `${name}: ${data}; stopped; WAL from 0/5000000 to 0/9000000`,
    ...(name === 'db1'
      ? [
          `db1: ${data}; ${running.replace('slot db2', 'slot db2 lost')}; WAL from 0/5000000 to 0/9000000`,
          `db1: ${data}; ${tells4}; stopped`,
          `db1: ${data}; ${tells4}; ${running}; slot db4; slot db3`,
        ]
      : [`${name}: ${data}; ${running}; WAL to 0/3000000`, `${name}: ${data}; stopped; WAL to 0/4000000, restores`]),
  )
}

const node = (name: string) => fc.oneof({ weight: 4, arbitrary: sound(name) }, { weight: 1, arbitrary: anything(name) })

const anything = (name: string) =>
  fc
    .record({
      base: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom('no directory', 'empty directory') },
        { weight: 6, arbitrary: fc.constantFrom(`data of shop/${name}`, `data of shop/${name} as standby`) },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            'holds letters.txt',
            'directory unknown: EACCES',
            'elsewhere: nobody is here',
            'data of nobody',
            `data of store/${name}`,
          ),
        },
      ),
      files: fc.subarray(['file says work_mem 4MB', 'file says max_connections 100', 'no include', 'timeline 2'], {
        maxLength: 2,
      }),
      state: fc.oneof(
        { weight: 3, arbitrary: fc.constant('stopped') },
        { weight: 4, arbitrary: fc.constantFrom('running as primary at 0/3000000', 'running as standby at 0/3000000') },
        { weight: 1, arbitrary: fc.constantFrom('starting: not yet', 'unreachable: silent', 'process unknown: EIO') },
      ),
      server: fc.subarray(
        [
          `streams from 127.0.0.1:5441 through ${name}`,
          'slot db2',
          'slot db3 active',
          'file says maestra.standbys db3 db9',
          'no role',
          'replay paused',
          'slot db2 lost',
        ],
        { maxLength: 4 },
      ),
      place: fc.constantFrom('stopped', 'stopped', 'stopped', 'port taken: by somebody', 'no programs in PATH'),
    })
    .map(({ base, files, state, server, place }) => {
      const isData = base.startsWith('data of')
      const isUp = isData && state.startsWith('running')
      const facts = [
        base,
        ...(isData ? [...files, state] : []),
        ...(isUp ? server : place === 'stopped' ? [] : [place]),
      ]
      return `${name}: ${facts.join('; ')}`
    })

const seen = fc
  .tuple(fc.constantFrom('none', 'superuser', 'superuser, replication'), node('db1'), node('db2'), node('db3'))
  .map(([passwords, ...nodes]) => `passwords: ${passwords}\n${nodes.join('\n')}\n`)

/** Mostly nothing is asked for. */
const asked = fc.oneof(
  { weight: 4, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.subarray(['db1', 'db2', 'db3']) },
  { weight: 1, arbitrary: fc.constant(['db3', 'db2']) },
)

test('whatever is seen, no data are replaced that serve, and each step comes after what it needs', () => {
  let planned = 0
  let moves = 0
  let chains = 0
  let drops = 0
  let goings = 0
  fc.assert(
    fc.property(seen, asked, fc.constantFrom('flat', 'chain'), (text, replace, shape) => {
      const cluster = clusters[shape]
      const upstream = (name: string) => (shape === 'chain' && name === 'db3' ? 'db2' : 'db1')
      const observation = readSeen(text, cluster)
      const plan = planCluster(cluster, observation, undefined, { replace })
      const { steps } = plan
      planned += Math.min(1, steps.length)
      if (plan.refusals.length + plan.unknowns.length > 0) expect(steps).toEqual([])
      expect(planCluster(cluster, observation, undefined, { replace })).toEqual(plan)

      const at = (kind: Step['kind'], name: string) =>
        steps.findIndex((step) => step.kind === kind && (!('node' in step) || step.node === name))
      const dropped = steps.findIndex((step) => step.kind === 'drop-slot' && step.standby === 'db4')
      if (dropped >= 0) {
        expect(steps[dropped]).toMatchObject({ node: 'db1', slot: 'db4' })
        // The file tells of db4 until its slot is gone, and the server runs by then.
        expect(dropped).toBeGreaterThan(at('start', 'db1'))
        const writes = steps.flatMap((step, i) =>
          step.kind === 'write-configuration' && step.node === 'db1' ? [i] : [],
        )
        expect(writes.at(-1)).toBeGreaterThan(dropped)
        for (const i of shape === 'flat' ? writes.slice(0, -1) : [])
          expect(steps[i]).toMatchObject({ held: { 'maestra.standbys': 'db2 db3 db4' } })
        drops += 1
      }
      const existing = observation.nodes.filter(({ directory }) => directory.kind === 'data')
      if (existing.length > 0 && observation.passwords.superuser === undefined) {
        expect(at('write-passfile', '')).toBe(-1)
      }
      for (const { name, directory, server } of observation.nodes) {
        const filled = Math.max(at('copy-primary', name), at('initialise', name))
        const moved = at('move-aside', name)
        if (moved >= 0) {
          moves += 1
          if (name === 'db3' && at('move-aside', upstream(name)) >= 0) chains += 1
          // Nobody is left behind whose slot and WAL go with the data, not even when it is killed in between.
          for (const { name: other, directory: of } of observation.nodes)
            if (other !== 'db1' && upstream(other) === name && of.kind === 'data') {
              const gone = at('move-aside', other)
              expect(gone).toBeGreaterThanOrEqual(0)
              expect(gone).toBeLessThan(moved)
            }
          expectMayBeMoved(observation, name, replace, upstream(name))
          expect(filled).toBeGreaterThan(moved)
          expect(steps.findIndex((step) => 'node' in step && step.node === name)).toBe(moved)
        } else if (filled >= 0) expect(['absent', 'empty']).toContain(directory.kind)
        const start = at('start', name)
        if (filled >= 0) expect(start).toBeGreaterThan(filled)
        if (start >= 0 && moved < 0) expect(server.kind).toBe('down')
        const write = at('write-configuration', name)
        // What is held until it runs is written behind its start, and taken by what follows.
        if (start >= 0 && write > start)
          expect(steps[write + 1]).toMatchObject({ node: name, kind: expect.stringMatching(/^(reload|restart)$/) })
        const last = steps.findLastIndex((step) => step.kind === 'await-streaming' && step.node === name)
        if (last >= 0)
          expect(Math.max(...steps.map((step, i) => (begins(step) && step.node === name ? i : -1)))).toBeLessThan(last)
        if (name !== 'db1') {
          const above = Math.max(at('copy-primary', upstream(name)), at('start', upstream(name)))
          for (const kind of ['copy-primary', 'start', 'await-streaming'] as const) {
            if (at(kind, name) >= 0) expect(at(kind, name)).toBeGreaterThan(above)
          }
          if (slotStep(steps, name) >= 0) expect(slotStep(steps, name)).toBeGreaterThan(above)
        }
        if (at('copy-primary', name) >= 0) {
          const needs = [at('start', 'db1'), at('create-replication-role', 'db1'), slotStep(steps, name)]
          expect(at('copy-primary', name)).toBeGreaterThan(Math.max(...needs))
          expect(steps[at('copy-primary', name)]).toMatchObject({ from: upstream(name) })
          const server = observation.nodes.find((each) => each.name === upstream(name))?.server
          // What a server had whose data are moved aside is not there any more.
          const isNew = at('move-aside', upstream(name)) >= 0
          const slots = server?.kind === 'up' && !isNew ? server.slots.map((slot) => slot.name) : []
          expect(slots.includes(name) || slotStep(steps, name) >= 0).toBe(true)
          if (slotStep(steps, name) >= 0) expect(steps[slotStep(steps, name)]).toMatchObject({ node: upstream(name) })
        }
      }
      // A standby that is moved streams from its new upstream before its slot of before is dropped.
      for (const [i, step] of steps.entries()) {
        if (step.kind !== 'drop-slot' || step.standby !== 'db3') continue
        expect(step.node).not.toBe(upstream('db3'))
        expect(i).toBeGreaterThan(at('await-streaming', 'db3'))
        goings += 1
      }
      expect(steps.filter((step) => step.destructive !== (step.kind === 'move-aside'))).toEqual([])
    }),
    { numRuns: 900 },
  )
  expect(planned).toBeGreaterThan(60)
  expect(drops).toBeGreaterThan(3)
  expect(moves).toBeGreaterThan(3)
  expect(chains).toBeGreaterThan(0)
  expect(goings).toBeGreaterThan(3)
})

/** Never those of a primary; without being asked only those of a standby of ours whose WAL its primary has removed. */
function expectMayBeMoved({ nodes }: Observation, name: string, replace: readonly string[], upstream: string): void {
  const sources = nodes.filter((each) => each.name === upstream || each.name === 'db1')
  const seen = nodes.find((each) => each.name === name)
  expect(name).not.toBe('db1')
  if (seen?.server.kind === 'up') expect(seen.server.inRecovery).toBe(true)
  if (replace.includes(name)) return
  if (seen?.directory.kind !== 'data') throw new Error(`${name} has no data`)
  expect(seen.directory).toMatchObject({ madeFor: { cluster: 'shop', node: name }, standbySignal: true })
  const own = seen.wal
  for (const { wal: source } of sources) {
    if (own?.kind !== 'known' || source?.kind !== 'known') throw new Error(`the WAL of ${name} is not known`)
    expect([own.needs < source.from, own.restores]).toEqual([true, false])
  }
}

/** Whether a server is there, or there again, after the step. */
function begins(step: Step): step is StepOf<'start' | 'restart' | 'copy-primary'> {
  return ['start', 'restart', 'copy-primary'].includes(step.kind)
}

function slotStep(steps: readonly Step[], name: string): number {
  return steps.findIndex((step) => step.kind === 'create-slot' && step.standby === name)
}
