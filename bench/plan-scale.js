// @ts-check
// node bench/plan-scale.js [--runs 11] [--json]: how long the rules and the plan take for 1, 10, 100 and 1,000 nodes, each on a host of
// its own, in three states. Nothing is observed: what would be seen is told in the words of plan/scenarios.
import { fileURLToPath } from 'node:url'
import { createViteServer } from 'vitest/node'
import { loadCluster } from '../packages/maestra/dist/cluster/load-cluster.js'
import { outcomeOf } from '../packages/maestra/dist/plan/plan.js'
import { planCluster } from '../packages/maestra/dist/plan/plan-cluster.js'
import { flags, median, ratioOf, table, timeInTurn } from './paired.js'

const { runs, json } = flags(11)
const sizes = [1, 10, 100, 1000]
const peerSize = 100
/** What was asked of this machine: a plan for 100 nodes within 50 ms. */
const mostMs = 50

const root = fileURLToPath(new URL('..', import.meta.url))
/** @type {typeof import('../packages/maestra/src/plan/scenarios/seen.fixture.ts')} */
const { readSeen } = await sourceModule('packages/maestra/src/plan/scenarios/seen.fixture.ts')

/**
 * @typedef {object} State
 * @property {string} name
 * @property {'nothing' | 'changes'} outcome
 * @property {(slots: string) => string} primary what is seen of the primary, whose slots are told
 * @property {(node: string) => string} standby
 */

const runsAsPrimary = 'data of shop/db1; running as primary at 0/3000000'
/** @param {string} node */
const streams = (node) =>
  `data of shop/${node} as standby; running as standby at 0/3000000; streams from 10.0.0.1:5432 through ${node}`
/** @type {readonly State[]} */
const states = [
  {
    name: 'all as declared',
    outcome: 'nothing',
    primary: (slots) => `${runsAsPrimary}${slots}`,
    standby: streams,
  },
  {
    name: 'files changed by hand',
    outcome: 'changes',
    primary: (slots) => `${runsAsPrimary}${slots}; file says work_mem 4MB`,
    standby: (node) => `${streams(node)}; file says work_mem 4MB`,
  },
  {
    name: 'nothing there yet',
    outcome: 'changes',
    primary: () => 'no directory',
    standby: () => 'no directory',
  },
]

const groups = []
for (const state of states) groups.push({ state: state.name, rows: await measure(state) })

if (json) process.stdout.write(`${JSON.stringify({ benchmark: 'plan-scale', runs, mostMs, groups }, null, 2)}\n`)
else for (const { state, rows } of groups) print(state, rows)

/** @param {State} state */
async function measure(state) {
  const contenders = sizes.map((nodes) => {
    const { cluster, observation, locate } = clusterOf(nodes, state)
    const plan = planCluster(cluster, observation, locate)
    const found = `${outcomeOf(plan)}, ${plan.findings.length} findings`
    if (found !== `${state.outcome}, 0 findings`) throw new Error(`${nodes} nodes, ${state.name}: the plan is ${found}`)
    return {
      name: String(nodes),
      run: async () => {
        planCluster(cluster, observation, locate)
      },
    }
  })
  const timed = await timeInTurn(contenders, runs)
  const peer = timed[sizes.indexOf(peerSize)]
  if (peer === undefined) throw new Error('a size is missing')
  return timed.map((each, index) => {
    const nodes = sizes[index] ?? Number.NaN
    const ratio = ratioOf(each, peer)
    /** @param {number} value */
    const perNode = (value) => (value * peerSize) / nodes
    return {
      nodes,
      ms: each.ms,
      medianMs: median(each.ms),
      perNodeUs: (median(each.ms) * 1000) / nodes,
      ratioPerNode: { median: perNode(ratio.median), low: perNode(ratio.low), high: perNode(ratio.high) },
    }
  })
}

/** @param {number} count @param {State} state */
function clusterOf(count, state) {
  const names = Array.from({ length: count }, (_, index) => `db${index + 1}`)
  const lines = names.map((name, index) => {
    const host = `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}`
    return `  - { name: ${name}, host: ${host}, data: /srv/${name}${index === 0 ? ', primary: true' : ''} }\n`
  })
  const parameters = { work_mem: '16MB', max_connections: 2000, max_wal_senders: 1100, max_replication_slots: 1100 }
  const text = `cluster: shop\npostgres: { version: 18 }\nnodes:\n${lines.join('')}parameters: ${JSON.stringify(parameters)}\n`
  const { cluster, locate, findings } = loadCluster(text, '/shop/maestra.yaml')
  if (cluster === undefined) throw new Error(findings.map(({ message }) => message).join('; '))
  const [primary = '', ...standbys] = names
  const slots = standbys.map((name) => `; slot ${name} active`).join('')
  const seen = [`${primary}: ${state.primary(slots)}`, ...standbys.map((name) => `${name}: ${state.standby(name)}`)]
  return { cluster, locate, observation: readSeen(`${seen.join('\n')}\n`, cluster) }
}

/** @param {string} state @param {Awaited<ReturnType<typeof measure>>} rows */
function print(state, rows) {
  const cells = rows.map(({ nodes, ms, medianMs, perNodeUs, ratioPerNode }) => [
    String(nodes),
    medianMs.toFixed(2),
    Math.min(...ms).toFixed(2),
    Math.max(...ms).toFixed(2),
    perNodeUs.toFixed(0),
    `${ratioPerNode.median.toFixed(2)} (${ratioPerNode.low.toFixed(2)} to ${ratioPerNode.high.toFixed(2)})`,
  ])
  process.stdout.write(`rules and plan, ${state}, ${runs} runs in turn\n\n`)
  process.stdout.write(
    `${table([['nodes', 'median ms', 'min', 'max', 'µs a node', `a node, to ${peerSize} nodes`], ...cells])}\n`,
  )
  const peer = rows.find(({ nodes }) => nodes === peerSize)?.medianMs ?? Number.NaN
  process.stdout.write(
    `\n${peerSize} nodes: ${peer.toFixed(1)} ms, ${peer <= mostMs ? 'within' : 'more than'} ${mostMs} ms\n\n`,
  )
}

/** A module of the sources, which are TypeScript; what is measured is what is published. @param {string} path */
async function sourceModule(path) {
  const conditions = ['maestra-source', 'node']
  const server = await createViteServer({
    root,
    configFile: false,
    logLevel: 'error',
    server: { middlewareMode: true, watch: null, hmr: false, ws: false },
    optimizeDeps: { noDiscovery: true },
    resolve: { conditions },
    ssr: { resolve: { conditions } },
  })
  try {
    return /** @type {any} */ (await server.ssrLoadModule(`/${path}`))
  } finally {
    await server.close()
  }
}
