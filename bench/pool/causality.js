// @ts-check
// node bench/pool/causality.js [--runs 5] [--ms 3000] [--reads 500] [--json]: reads that have to see what was just written, on replicas
// whose replay is late: how many of them replicas answer, and what that adds to reads on the primary, which is pg.Pool in a process of
// its own under the same load. No read may be stale. After npm run build.
import { flags, measureInTurn, median, pairedOf, refuse, table } from '../paired.js'
import { Load } from './load.js'
import { delayReplay } from './replay-delay.js'
import { onServers, urlOf } from './servers.js'

const { runs, json, ...own } = flags(5, { ms: { type: 'string' }, reads: { type: 'string' } })
const ms = Number(own['ms'] ?? 3000)
const readsPerS = Number(own['reads'] ?? 500)
if (!(ms > 0) || !(readsPerS > 0)) refuse('--ms and --reads take numbers from 1 on')
const warmUpMs = 5000
const settlingMs = 500

/**
 * `delays`: how late the replicas are, one after the other in each run, for equal parts of it.
 * @typedef {{ readonly writesPerS: number, readonly delays: readonly (readonly [number, number])[], readonly scope: 'pool' | 'request' }} Case
 */
/** @type {Case['delays']} */
const few = [
  [2, 3],
  [4, 5],
]
/** @type {readonly Case[]} */
const cases = [
  { writesPerS: 0, delays: few, scope: 'pool' },
  { writesPerS: 100, delays: few, scope: 'pool' },
  { writesPerS: 1000, delays: few, scope: 'pool' },
  { writesPerS: 1000, delays: [[50, 50]], scope: 'pool' },
  { writesPerS: 1000, delays: few, scope: 'request' },
]
/** What was asked of 1,000 writes a second at 2 to 5 ms. */
const leastOnReplicas = 0.9
const mostAddedMs = 4

const rows = await onServers(2, async ({ primary, replicas, nodes }) => {
  const loads = [new Load('maestra', urlOf(nodes)), new Load('pg', primary.url)]
  try {
    // Code that is new to the machine is slower than what it becomes.
    for (const load of loads) await load.run({ kind: 'closed', concurrent: 64, ms: warmUpMs, writeShare: 0.3 })
    const measured = []
    for (const each of cases) {
      measured.push(await compare(loads, each, replicas))
    }
    return measured
  } finally {
    for (const load of loads) await load.end()
  }
})

const target = { leastOnReplicas, mostAddedMs }
if (json)
  process.stdout.write(
    `${JSON.stringify({ benchmark: 'pool/causality', runs, ms, readsPerS, target, rows }, null, 2)}\n`,
  )
else print()
if (rows.some(({ stale }) => stale > 0)) {
  process.stderr.write('Error: there were stale reads\n')
  process.exitCode = 1
}

/** @param {Case} each @param {number} forMs @returns {import('./load.js').Order} */
function orderOf({ writesPerS, scope }, forMs) {
  return { kind: 'open', writesPerS, readsPerS, ms: forMs, scope }
}

/**
 * With each of its delays for an equal part of the time. @param {Load} load @param {Case} each
 * @param {readonly { readonly url: string }[]} replicas
 */
async function measure(load, each, replicas) {
  const parts = []
  for (const delays of each.delays) {
    for (const [at, { url }] of replicas.entries()) await delayReplay(url, delays[at] ?? delays[0])
    // What the pool has learnt of the delays of before is no part of this run.
    await load.run(orderOf(each, settlingMs))
    parts.push(await load.run(orderOf(each, ms / each.delays.length)))
  }
  return together(parts)
}

/** Parts of one run, of equal length. @param {readonly import('./load.js').Measured[]} parts */
function together(parts) {
  /** @param {'p50' | 'p99' | 'mean' | 'onReplicas'} key */
  const mean = (key) => parts.reduce((sum, part) => sum + part[key], 0) / parts.length
  return {
    p50: mean('p50'),
    p99: mean('p99'),
    mean: mean('mean'),
    onReplicas: mean('onReplicas'),
    stale: parts.reduce((sum, { stale }) => sum + stale, 0),
    byReason: reasonsOf(parts),
  }
}

/** @param {readonly { readonly byReason: Readonly<Record<string, number>> }[]} parts */
function reasonsOf(parts) {
  /** @type {Record<string, number>} */
  const byReason = {}
  for (const part of parts) {
    for (const [reason, count] of Object.entries(part.byReason)) byReason[reason] = (byReason[reason] ?? 0) + count
  }
  return byReason
}

/** @param {readonly Load[]} loads @param {Case} each @param {readonly { readonly url: string }[]} replicas */
async function compare(loads, each, replicas) {
  const [ours, peer] = await measureInTurn(
    loads.map((load) => async () => await measure(load, each, replicas)),
    runs,
  )
  if (ours === undefined || peer === undefined) throw new Error('a contender is missing')
  /** @param {'p50' | 'p99' | 'mean'} key */
  const added = (key) => ({
    ours: median(ours.map((one) => one[key])),
    peer: median(peer.map((one) => one[key])),
    ...pairedOf(
      ours.map((one) => one[key]),
      peer.map((one) => one[key]),
      (one, other) => one - other,
    ),
  })
  return {
    ...each,
    onReplicas: median(ours.map((one) => one.onReplicas)),
    added: { p50: added('p50'), p99: added('p99'), mean: added('mean') },
    stale: ours.reduce((sum, one) => sum + one.stale, 0),
    byReason: reasonsOf(ours),
  }
}

/** @param {readonly number[]} delays */
function delayOf(delays) {
  const [least, most] = [Math.min(...delays), Math.max(...delays)]
  return least === most ? `${least} ms` : `${least} to ${most} ms`
}

function print() {
  /** @param {{ readonly median: number, readonly low: number, readonly high: number, readonly ours: number, readonly peer: number }} added */
  const cell = ({ ours, peer, median, low, high }) =>
    `${ours.toFixed(1)} - ${peer.toFixed(1)}: ${median.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`
  const cells = rows.map((row) => [
    String(row.writesPerS),
    delayOf(row.delays.flat()),
    row.scope,
    `${(100 * row.onReplicas).toFixed(1)} %`,
    cell(row.added.p50),
    cell(row.added.p99),
    cell(row.added.mean),
    String(row.stale),
  ])
  const head = ['writes/s', 'replay delay', 'scope', 'on replicas', 'p50 ms', 'p99 ms', 'mean ms', 'stale']
  process.stdout.write(
    `${readsPerS} reads a second, ours - pg.Pool on the primary: added; ${runs} runs of ${ms} ms in turn\n`,
  )
  process.stdout.write(
    `at 1,000 writes/s and 2 to 5 ms at least ${100 * leastOnReplicas} % were to be on replicas, at most ${mostAddedMs} ms added to the mean\n\n`,
  )
  process.stdout.write(`${table([head, ...cells])}\n\n`)
  for (const { writesPerS, delays, scope, byReason } of rows) {
    const reasons = Object.entries(byReason).map(([reason, count]) => `${reason} ${count}`)
    process.stdout.write(`${writesPerS}/s, ${delayOf(delays.flat())}, ${scope}: ${reasons.join(', ')}\n`)
  }
}
