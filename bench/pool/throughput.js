// @ts-check
// node bench/pool/throughput.js [--runs 5] [--ms 1000] [--concurrent 1,16,64] [--json]: the pool beside pg.Pool, on one server and on a
// primary with two replicas, where pg.Pool sends all to the primary; there also beside what people write by hand, a pg.Pool for each server,
// which knows nothing of what was just written. Each has a process of its own and ten connections to a server. Servers and load share the machine: look at the ratios, and at the CPU time of the process. After npm run build.
import { flags, measureInTurn, median, pairedOf, refuse, table } from '../paired.js'
import { Load } from './load.js'
import { onServers, urlOf } from './servers.js'

const { runs, json, ...own } = flags(5, { ms: { type: 'string' }, concurrent: { type: 'string' } })
const ms = Number(own['ms'] ?? 1000)
const concurrences = String(own['concurrent'] ?? '1,16,64')
  .split(',')
  .map(Number)
if (!(ms > 0) || !concurrences.every((each) => each > 0)) refuse('--ms and --concurrent take numbers from 1 on')
const warmUpMs = 5000
/** What was asked of it: at least so much of the throughput of pg.Pool. */
const leastRatio = 0.97

const cases = [
  { name: 'one server, point selects', replicas: 0, writeShare: 0 },
  { name: 'one server, 10 % writes', replicas: 0, writeShare: 0.1 },
  { name: 'two replicas, 10 % writes', replicas: 2, writeShare: 0.1 },
  { name: 'the same, prepared', replicas: 2, writeShare: 0.1, options: { lanes: 'prepared' } },
  { name: 'two replicas, point selects', replicas: 2, writeShare: 0 },
]

const rows = []
for (const replicas of [0, 2]) {
  await onServers(replicas, async ({ primary, nodes }) => {
    const loads = [new Load('maestra', urlOf(nodes)), new Load('pg', primary.url), new Load('pg', primary.url)]
    const prepared = new Load('maestra', urlOf(nodes), { lanes: 'prepared' })
    const split = replicas > 0 ? [new Load('split', urlOf(nodes))] : []
    const all = [...loads, ...split, prepared]
    try {
      // Code that is new to the machine is slower than what it becomes; connections are opened as well.
      for (const load of all) {
        await load.run({ kind: 'closed', concurrent: 16, ms: warmUpMs, writeShare: 0.1 })
      }
      for (const { name, writeShare, options } of cases.filter((each) => each.replicas === replicas)) {
        const compared = options === undefined ? [...loads, ...split] : [prepared, ...loads.slice(1), ...split]
        for (const concurrent of concurrences) rows.push(await compare(name, compared, concurrent, writeShare))
      }
    } finally {
      for (const load of all) await load.end()
    }
  })
}

if (json)
  process.stdout.write(`${JSON.stringify({ benchmark: 'pool/throughput', runs, ms, leastRatio, rows }, null, 2)}\n`)
else print()

/** @param {string} name @param {readonly Load[]} loads @param {number} concurrent @param {number} writeShare */
async function compare(name, loads, concurrent, writeShare) {
  /** @type {import('./load.js').Order} */
  const order = { kind: 'closed', concurrent, ms, writeShare }
  const [ours, peer, again, byHand] = await measureInTurn(
    loads.map((load) => () => load.run(order)),
    runs,
  )
  if (ours === undefined || peer === undefined || again === undefined) throw new Error('a contender is missing')
  /** @param {readonly import('./load.js').Measured[]} measured */
  const perS = (measured) => measured.map((each) => (each.statements * 1000) / each.ms)
  /** @param {keyof import('./load.js').Measured & ('p50' | 'p99' | 'cpuUs')} key */
  const both = (key) => ({ ours: median(ours.map((each) => each[key])), peer: median(peer.map((each) => each[key])) })
  const quotient = (/** @type {number} */ value, /** @type {number} */ other) => value / other
  return {
    name,
    concurrent,
    perS: { ours: median(perS(ours)), peer: median(perS(peer)) },
    ratio: pairedOf(perS(ours), perS(peer), quotient),
    // How far two of the same are apart is how far this machine can tell two things from each other.
    peerToItself: pairedOf(perS(again), perS(peer), quotient),
    ...(byHand === undefined
      ? {}
      : {
          byHand: pairedOf(perS(byHand), perS(peer), quotient),
          ratioToByHand: pairedOf(perS(ours), perS(byHand), quotient),
        }),
    p50: both('p50'),
    p99: both('p99'),
    cpuUs: both('cpuUs'),
    cpuRatio: pairedOf(
      ours.map((each) => each.cpuUs),
      peer.map((each) => each.cpuUs),
      quotient,
    ),
    byReason: ours.at(-1)?.byReason,
  }
}

function print() {
  /** @param {{ readonly median: number, readonly low: number, readonly high: number }} ratio */
  const interval = ({ median, low, high }) => `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
  /** @param {{ readonly ours: number, readonly peer: number }} both @param {number} digits */
  const pair = ({ ours, peer }, digits) => `${ours.toFixed(digits)} / ${peer.toFixed(digits)}`
  const head = [
    '',
    'concurrent',
    'a second',
    'ratio',
    'pg.Pool to itself',
    'by hand',
    'ratio to that',
    'p50 ms',
    'p99 ms',
    'CPU µs',
    'CPU ratio',
  ]
  const cells = rows.map((row) => [
    row.name,
    String(row.concurrent),
    pair(row.perS, 0),
    interval(row.ratio),
    interval(row.peerToItself),
    row.byHand === undefined ? '' : interval(row.byHand),
    row.ratioToByHand === undefined ? '' : interval(row.ratioToByHand),
    pair(row.p50, 2),
    pair(row.p99, 2),
    pair(row.cpuUs, 0),
    interval(row.cpuRatio),
  ])
  process.stdout.write(
    `the pool / pg.Pool, ${runs} runs of ${ms} ms in turn; the ratio was to be at least ${leastRatio}\n\n`,
  )
  process.stdout.write(`${table([head, ...cells])}\n`)
}
