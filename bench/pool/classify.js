// @ts-check
// node bench/pool/classify.js [--runs 15] [--json]: what it costs to say what a text is: a text that is remembered, the same as a
// string that was just built, beside a look into a Map; texts that have to be parsed; and one that is too long for that. Needs no
// server. After npm run build.
import { Classifier } from '../../packages/client/dist/routing/statement/classify.js'
import { flags, median, ratioOf, table, timeInTurn } from '../paired.js'

const { runs, json } = flags(15)

const texts = Array.from(
  { length: 500 },
  (_, n) =>
    `select o.id, o.total, c.name from orders o join customers c on c.id = o.customer_id where o.id = $1 and o.shop = ${n}`,
)
const short = (/** @type {number} */ n) => `select * from orders where id = ${n}`
const wide = (/** @type {number} */ n) =>
  `select ${Array.from({ length: 80 }, (_, column) => `o.column_${column} as c${column}`).join(', ')} from orders o where o.id = ${n}`
const long = `insert into orders values ${'(1, 2, 3), '.repeat(30_000)} (1, 2, 3)`

const classifier = new Classifier()
const startedAt = performance.now()
await classifier.load()
const loadedInMs = performance.now() - startedAt
const none = new Set()
classifier.setNames({
  relations: new Map(),
  functions: none,
  notations: none,
  operators: none,
  extensionFunctions: none,
  extensionOperators: none,
  safeTypes: none,
  unsafeTypes: none,
  unnamed: [],
  standardStrings: true,
})
const plain = new Map(texts.map((text) => [text, classifier.classify(text)]))

/** Kept, so that no call is dropped as useless. */
let seen = 0
let next = 0
/** @param {() => string} textOf @param {number} times */
const classifying = (textOf, times) => async () => {
  for (let n = 0; n < times; n += 1) seen += classifier.classify(textOf()).kind.length
}
const one = texts[0] ?? ''
const another = () => {
  next += 1
  return next
}
const inTurn = () => texts[another() % texts.length] ?? ''
/** A string that nobody has hashed yet, as a query builder makes it: the same letters in memory of their own. */
const built = () => Buffer.from(inTurn()).toString()

const contenders = [
  {
    name: 'a Map that has it, 500 texts',
    times: 100_000,
    run: async () => {
      for (let n = 0; n < 100_000; n += 1) seen += plain.get(inTurn())?.kind.length ?? 0
    },
  },
  { name: 'remembered, one text', times: 100_000, run: classifying(() => one, 100_000) },
  { name: 'remembered, 500 texts', times: 100_000, run: classifying(inTurn, 100_000) },
  {
    name: 'building a string of 120 letters',
    times: 20_000,
    run: async () => {
      for (let n = 0; n < 20_000; n += 1) seen += built().length
    },
  },
  { name: 'the same, remembered', times: 20_000, run: classifying(built, 20_000) },
  { name: 'new, 40 letters', times: 500, run: classifying(() => short(another()), 500) },
  { name: 'new, 1,700 letters', times: 100, run: classifying(() => wide(another()), 100) },
  { name: 'not parsed, 330,000 letters', times: 20, run: classifying(() => long, 20) },
]
const timed = await timeInTurn(contenders, runs)
const peer = timed[0]
if (peer === undefined) throw new Error('a contender is missing')
const rows = timed.map((each, index) => {
  const times = contenders[index]?.times ?? 1
  const perCall = each.ms.map((ms) => (ms * 1_000) / times)
  return { name: each.name, medianUs: median(perCall), minUs: Math.min(...perCall), maxUs: Math.max(...perCall) }
})
const remembered = timed[2]
const ratio = remembered && ratioOf(remembered, peer)

if (json)
  process.stdout.write(
    `${JSON.stringify({ benchmark: 'pool/classify', runs, loadedInMs, rows, ratio, seen }, null, 2)}\n`,
  )
else {
  const cells = rows.map(({ name, medianUs, minUs, maxUs }) => [
    name,
    ...[medianUs, minUs, maxUs].map((us) => us.toFixed(3)),
  ])
  process.stdout.write(
    `classifying a text, ${runs} runs in turn; the grammar was loaded in ${loadedInMs.toFixed(0)} ms\n\n`,
  )
  process.stdout.write(`${table([['', 'median µs', 'min', 'max'], ...cells])}\n\n`)
  process.stdout.write(
    `remembered, 500 texts, to a Map: ${ratio?.median.toFixed(2)} (${ratio?.low.toFixed(2)} to ${ratio?.high.toFixed(2)})\n`,
  )
}
