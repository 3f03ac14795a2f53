// @ts-check
// node apply-until.js '{"file": "maestra.yaml", "kill": {"step": "start db1", "at": "ended"}}': applies a cluster file and kills itself at
// that moment. Without `kill` it applies to the end and prints, as JSON, every moment that there was.
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { applyPlan } from '../../packages/maestra/dist/apply/apply-plan.js'
import { clusterSite } from '../../packages/maestra/dist/cli/cluster-site.js'
import { loadCluster } from '../../packages/maestra/dist/cluster/load-cluster.js'
import { planCluster } from '../../packages/maestra/dist/plan/plan-cluster.js'
import { observeCluster } from '../../packages/maestra/dist/server/observe-cluster.js'

/** @typedef {{ step: string, at: string, laterMs?: number }} Kill What to die at, or so much later. */
/** @typedef {{ step: string, at: string, sinceStartMs: number }} Moment */

const { file, kill } = /** @type {{ file: string, kill?: Kill }} */ (JSON.parse(process.argv[2] ?? ''))

/** Calls that change nothing. A call that is not here counts as an effect: one that is added is walked without a change here. */
const looks = new Set(
  'stat realPath list readText readBytes firstClosedFolder self account identify parentOfZombie descendants commandOf isOwnAddress canListen freePort drainedTo'.split(
    ' ',
  ),
)

/** @type {Moment[]} */
const moments = []
/** How often each effect was in the step that runs. @type {Map<string, number>} */
let counts = new Map()
let step = 'before the steps'

/** @param {string} next */
function enter(next) {
  step = next
  counts = new Map()
}

/** A moment of the step that runs. @param {string} at */
function reach(at) {
  moments.push({ step, at, sinceStartMs: performance.now() })
  if (kill?.step !== step || kill.at !== at) return
  if (kill.laterMs === undefined) die()
  else setTimeout(die, kill.laterMs)
}

function die() {
  process.kill(process.pid, 'SIGKILL')
}

/** Its how-manieth time this is in the step. @param {string} effect */
function numbered(effect) {
  const number = (counts.get(effect) ?? 0) + 1
  counts.set(effect, number)
  return `${effect} ${number}`
}

/** A part of the host, whose effects are moments. @param {any} target @param {string} name @returns {any} */
function watched(target, name) {
  return new Proxy(target, {
    get: (_, key) => {
      const value = target[key]
      if (typeof value === 'object' && name === 'host') return watched(value, String(key))
      if (typeof value !== 'function') return value
      if (looks.has(String(key))) return value.bind(target)
      return (/** @type {any[]} */ ...args) => {
        const effect = numbered(`${name}.${String(key)}`)
        reach(`before ${effect}`)
        const result = value.apply(target, args)
        if (key === 'fillTree') return watched(result, 'tree')
        if (!(result instanceof Promise)) return result
        return result.then((settled) => {
          reach(`after ${effect}`)
          return settled
        })
      }
    },
  })
}

/** Statements are moments too: before they are sent, and when the server has them. Again in the same step, they tell nothing more. */
function watchStatements() {
  const query = pg.Client.prototype.query
  pg.Client.prototype.query = /** @type {any} */ (
    /** @this {pg.Client} @param {any[]} args */
    function (...args) {
      const statement = `sql ${wordsOf(args[0])}`
      // Beside the steps there are only questions.
      const first = !counts.has(statement) && !step.endsWith('the steps')
      numbered(statement)
      if (first) reach(`before ${statement}`)
      const result = query.apply(this, /** @type {any} */ (args))
      if (first) setImmediate((/** @type {string} */ of) => of === step && reach(`sent ${statement}`), step)
      return result
    }
  )
}

/** The statement on one line, without what is in quotes: it may be a secret, and another one each time. @param {any} query */
function wordsOf(query) {
  const text = typeof query === 'string' ? query : (query.text ?? query.constructor.name)
  return text
    .replace(/'[^']*'/g, "'…'")
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 100)
}

const { cluster } = loadCluster(await readFile(file, 'utf8'), file)
if (cluster === undefined) throw new Error(`${file} is no cluster file`)
const site = clusterSite()
const looked = async () => planCluster(cluster, await observeCluster(site, cluster))
let plan = await looked()
// A server that a killed run started may still be starting.
while (plan.unknowns.length > 0) {
  await sleep(20)
  plan = await looked()
}
watchStatements()
await applyPlan(plan, {
  site: { ...site, host: watched(site.host, 'host') },
  cluster,
  onEvent: (event) => {
    if (event.kind === 'step-started')
      enter('node' in event.step ? `${event.step.kind} ${event.step.node}` : event.step.kind)
    reach(event.kind === 'step-progressed' ? numbered('progress') : event.kind === 'step-started' ? 'started' : 'ended')
    if (event.kind === 'step-ended') enter('after the steps')
  },
})
if (kill === undefined) process.stdout.write(JSON.stringify(moments))
