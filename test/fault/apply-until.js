// @ts-check
// node apply-until.js '{"file": "maestra.yaml", "step": "start db1", "at": "ended"}': applies a cluster file and kills itself at that moment.
import { readFile, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { applyPlan } from '../../packages/maestra/dist/apply/apply-plan.js'
import { clusterSite } from '../../packages/maestra/dist/cli/cluster-site.js'
import { loadCluster } from '../../packages/maestra/dist/cluster/load-cluster.js'
import { planCluster } from '../../packages/maestra/dist/plan/plan-cluster.js'
import { observeCluster } from '../../packages/maestra/dist/server/observe-cluster.js'

/** `at`: when the step has started, progressed or ended, so many ms after its start, or before a call to the host. */
const { file, step, at } = JSON.parse(process.argv[2] ?? '')

function die() {
  process.kill(process.pid, 'SIGKILL')
}

const { cluster } = loadCluster(await readFile(file, 'utf8'), file)
if (cluster === undefined) throw new Error(`${file} is no cluster file`)
let current = ''
const site = clusterSite()

/** Calls of the host go through, but for the one that the process is to die at. @param {any} target @param {string} name @returns {any} */
function watched(target, name) {
  return new Proxy(target, {
    get: (_, key) => {
      const value = target[key]
      if (typeof value === 'object' && name === 'host') return watched(value, String(key))
      if (typeof value !== 'function') return value
      return (/** @type {any[]} */ ...args) => {
        if (current === step && at === `before ${String(key)}`) die()
        const result = value.apply(target, args)
        if (current === step && at === `during ${String(key)}`) void dieOnceSomethingIsThere(args)
        if (current === step && at === `after ${String(key)}`) return Promise.resolve(result).then(die)
        return result
      }
    },
  })
}

/** Dies in the middle of initdb: its first file is there. @param {any[]} args */
async function dieOnceSomethingIsThere([, args]) {
  const directory = args.find((/** @type {string} */ arg) => arg.startsWith('--pgdata='))?.slice('--pgdata='.length)
  for (;;) {
    if (await stat(`${directory}/PG_VERSION`).catch(() => undefined)) die()
    await sleep(1)
  }
}

const apply = { ...site, host: watched(site.host, 'host') }
for (;;) {
  const plan = planCluster(cluster, await observeCluster(site, cluster))
  // A server that a killed run started may still be starting.
  if (plan.unknowns.length > 0) await sleep(20)
  else {
    await applyPlan(plan, {
      site: apply,
      cluster,
      onEvent: (event) => {
        current = 'node' in event.step ? `${event.step.kind} ${event.step.node}` : event.step.kind
        if (current !== step) return
        if (event.kind === `step-${at}`) die()
        if (event.kind === 'step-started' && at.endsWith(' ms')) setTimeout(die, Number.parseInt(at, 10))
      },
    })
    break
  }
}
