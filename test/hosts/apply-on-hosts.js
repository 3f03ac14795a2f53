// @ts-check
// node apply-on-hosts.js '{"file": "maestra.yaml", "hosts": {"192.168.1.1": "/run/netns/one"}}': applies a cluster file whose nodes are on
// several machines, which are network namespaces of this one. Files and processes are the same everywhere; what depends on the machine is
// done in the namespace of the node. It stands in for hosts that are reached by SSH: everything above the interface Host is as it is.
// Prints the title of each step, and what a plan finds afterwards.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { applyPlan } from '../../packages/maestra/dist/apply/apply-plan.js'
import { clusterSite } from '../../packages/maestra/dist/cli/cluster-site.js'
import { loadCluster } from '../../packages/maestra/dist/cluster/load-cluster.js'
import { outcomeOf } from '../../packages/maestra/dist/plan/plan.js'
import { planCluster } from '../../packages/maestra/dist/plan/plan-cluster.js'
import { stepTitle } from '../../packages/maestra/dist/plan/step-title.js'
import { observeCluster } from '../../packages/maestra/dist/server/observe-cluster.js'

const { file, hosts } = /** @type {{ file: string, hosts: Record<string, string> }} */ (
  JSON.parse(process.argv[2] ?? '')
)
const { cluster, findings } = loadCluster(await readFile(file, 'utf8'), file)
if (cluster === undefined) throw new Error(JSON.stringify(findings))
const site = clusterSite()
const { files, processes, network, name } = site.host

/** @param {string} address */
const entered = (address) => [`--net=${hosts[address]}`, '--']

/** A server is started where its node is: by its data directory, which is among the arguments. @type {typeof processes.startDaemon} */
const startDaemon = async (program, args, { account, ...options }) => {
  const node = cluster.nodes.find(({ data }) => args.includes(data))
  if (node === undefined || account === undefined) throw new Error(`of which node is ${program} ${args.join(' ')}?`)
  const as = ['setpriv', `--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups']
  return await processes.startDaemon('nsenter', [...entered(node.host), ...as, program, ...args], options)
}

const listening = `require('net').createServer().on('error', (error) => { console.error(error.message); process.exit(1) })
  .listen({ host: process.argv[1], port: Number(process.argv[2]) }, () => process.exit())`

/** @type {typeof network.canListen} */
const canListen = async (address, port) => {
  const args = [...entered(address), process.execPath, '-e', listening, address, String(port)]
  return await promisify(execFile)('nsenter', args).then(
    () => ({ free: /** @type {const} */ (true) }),
    (error) => ({ free: /** @type {const} */ (false), reason: String(error.stderr).trim() }),
  )
}

/** What is not a function of its own below keeps the object that it belongs to. @template {object} T @param {T} of @param {Partial<T>} instead @returns {T} */
const but = (of, instead) =>
  new Proxy(of, {
    get: (target, key) => {
      const value = Reflect.get(key in instead ? instead : target, key)
      return typeof value === 'function' && !(key in instead) ? value.bind(target) : value
    },
  })

const host = {
  name,
  files,
  processes: but(processes, { startDaemon }),
  network: but(network, { canListen, isOwnAddress: async (address) => address in hosts }),
}
const look = async () => planCluster(cluster, await observeCluster({ ...site, host }, cluster))
const plan = await look()
await applyPlan(plan, {
  site: { ...site, host },
  cluster,
  onEvent: (event) => {
    if (event.kind === 'step-ended') console.log(stepTitle(event.step))
  },
})
console.log(outcomeOf(await look()))
