// @ts-check
// node bench/pool/route.js [--runs 15] [--json]: what it costs to decide where a read goes, `route()`, and to say what it has to see,
// `floorFor`, with 2 and 16 replicas that have it, and that are late. Needs no server. After npm run build.
import { Commits } from '../../packages/client/dist/routing/consistency/commits.js'
import { route } from '../../packages/client/dist/routing/route.js'
import { provenRead as read } from '../../packages/client/dist/routing/statement/statement.js'
import { topologyOfAddresses } from '../../packages/client/dist/routing/topology/reduce.js'
import { flags, median, table, timeInTurn } from '../paired.js'

const { runs, json } = flags(15)
const calls = 100_000
/** What was asked of it. */
const mostUs = 2

/** @type {import('../../packages/client/dist/routing/session-state.js').SessionState} */
const session = { kind: 'free' }

/** @param {number} replicas */
function topologyOf(replicas) {
  const addresses = Array.from({ length: replicas + 1 }, (_, n) => `db${n + 1}:5432`)
  const unseen = topologyOfAddresses(addresses)
  const [first = '', ...others] = addresses
  const nodes = new Map(unseen.nodes)
  for (const address of addresses) {
    const node = unseen.nodes.get(address)
    if (node !== undefined)
      nodes.set(address, { ...node, answers: true, role: address === first ? 'primary' : 'replica' })
  }
  return {
    topology: { ...unseen, nodes, primary: nodes.get(first), primaryState: /** @type {const} */ ('known') },
    others,
  }
}

/** Kept, so that no call is dropped as useless. */
let seen = 0
/** @param {number} replicas @param {'yes' | 'not-yet'} satisfaction @param {number} waitMs */
function routing(replicas, satisfaction, waitMs) {
  const { topology } = topologyOf(replicas)
  /** @type {import('../../packages/client/dist/routing/route.js').Conditions} */
  const conditions = {
    excluded: new Set(),
    inFlight: (address) => address.length,
    satisfies: () => satisfaction,
    expectedWaitMs: () => waitMs,
    budgetMs: 20,
    maxLagMs: Number.POSITIVE_INFINITY,
    whenPrimaryAway: 'serve',
    whenWritesLost: 'primary',
    sticky: undefined,
  }
  return async () => {
    for (let n = 0; n < calls; n += 1) seen += route(read, session, topology, floor, conditions).kind.length
  }
}

const commits = new Commits({ sequence: { next: () => 1 }, tell: () => {} })
const position = /** @type {any} */ ({ systemIdentifier: '1', timeline: 1, lsn: 1000n })
const scope = commits.openScope({ positions: [position] })
const floor = commits.floorFor({}, scope)
const contenders = [
  { name: 'route(), 2 replicas, one has it', run: routing(2, 'yes', 0) },
  { name: 'route(), 2 replicas, both late', run: routing(2, 'not-yet', 3) },
  { name: 'route(), 16 replicas, all late', run: routing(16, 'not-yet', 3) },
  {
    name: 'floorFor()',
    run: async () => {
      for (let n = 0; n < calls; n += 1) seen += commits.floorFor({}, scope).kind.length
    },
  },
]
const timed = await timeInTurn(contenders, runs)
const rows = timed.map(({ name, ms }) => {
  const perCall = ms.map((each) => (each * 1_000) / calls)
  return { name, medianUs: median(perCall), minUs: Math.min(...perCall), maxUs: Math.max(...perCall) }
})

if (json) process.stdout.write(`${JSON.stringify({ benchmark: 'pool/route', runs, mostUs, rows, seen }, null, 2)}\n`)
else {
  const cells = rows.map(({ name, medianUs, minUs, maxUs }) => [
    name,
    ...[medianUs, minUs, maxUs].map((us) => us.toFixed(3)),
  ])
  process.stdout.write(`one call, ${runs} runs of ${calls} in turn; route() was to take at most ${mostUs} µs\n\n`)
  process.stdout.write(`${table([['', 'median µs', 'min', 'max'], ...cells])}\n`)
}
