import { MaestraError } from '@maestra/client/base/error'
import { type ClusterStatus, clusterStatus } from '../cluster/cluster-status.js'
import { observeCluster } from '../server/observe-cluster.js'
import type { Site } from '../server/site.js'
import { cut, mend } from './faults/link.js'
import { promote } from './faults/promote.js'
import { lag, pause, resume } from './faults/replay.js'
import { freeze, kill, start, startAll, thaw } from './faults/server.js'
import type { Sandbox, SandboxNode } from './sandbox.js'
import { clusterOf, type SandboxContext } from './sandbox-context.js'
import { isTakenDown, type RecordedSandbox } from './sandbox-record.js'
import { type SandboxServer, sandboxServers } from './sandbox-servers.js'
import { takeDown, takeDownOwn } from './take-down.js'

/** A sandbox that is up, with all that can be done to it; `startedInMs` is 0 for one that another process started. */
export async function liveSandbox(site: Site, sandbox: RecordedSandbox, startedInMs = 0): Promise<Sandbox> {
  const live = new LiveSandbox(site, sandbox, startedInMs)
  await live.look()
  return live
}

class LiveSandbox implements Sandbox {
  readonly name: string
  readonly directory: string
  readonly startedInMs: number
  readonly #site: Site
  readonly #sandbox: RecordedSandbox
  readonly #stopping = new AbortController()
  /** What is being done to it: it is taken down only when that has ended, since it may be making files. */
  readonly #running = new Set<Promise<unknown>>()
  #servers: readonly SandboxServer[] = []
  #nodes: readonly LiveNode[] = []
  #stopped: Promise<void> | undefined

  constructor(site: Site, sandbox: RecordedSandbox, startedInMs: number) {
    this.#site = site
    this.#sandbox = sandbox
    this.name = sandbox.record.name
    this.directory = sandbox.record.directory
    this.startedInMs = Math.round(startedInMs)
  }

  get nodes(): readonly SandboxNode[] {
    return this.#nodes
  }

  get primary(): SandboxNode {
    const found = this.#nodes.find((node) => node.role === 'primary')
    if (found === undefined) throw new Error('a sandbox has a primary')
    return found
  }

  get replicas(): readonly SandboxNode[] {
    return this.#nodes.filter((node) => node.role === 'standby')
  }

  node(name: string): SandboxNode {
    const found = this.#nodes.find((node) => node.name === name)
    if (found !== undefined) return found
    const names = this.#nodes.map((node) => node.name).join(', ')
    throw new MaestraError('bad-usage', `sandbox ${this.name} has no node ${name}; it has ${names}`)
  }

  async status(): Promise<ClusterStatus> {
    return await this.run(async (context) => {
      const cluster = await clusterOf(context)
      return clusterStatus(cluster, await observeCluster(this.#site, cluster))
    })
  }

  async promote(name: string): Promise<void> {
    await this.run(async (context) => {
      try {
        await promote(context, name)
      } finally {
        // It may have been promoted before something else failed.
        if (!this.#stopping.signal.aborted) await this.look()
      }
    })
  }

  async startAll(): Promise<void> {
    await this.run(startAll)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#takeDown()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Reads what its nodes are. */
  async look(): Promise<void> {
    this.#servers = await sandboxServers(this.#site.host, await clusterOf(this.#context()))
    const known = new Map(this.#nodes.map((node) => [node.name, node]))
    this.#nodes = this.#servers.map((server) => known.get(server.name) ?? new LiveNode(this, server.name))
  }

  serverOf(name: string): SandboxServer {
    const found = this.#servers.find((server) => server.name === name)
    if (found === undefined) throw new Error(`${name} is no server of sandbox ${this.name}`)
    return found
  }

  /** Does something to it, unless it is being stopped. */
  async run<T>(work: (context: SandboxContext) => Promise<T>): Promise<T> {
    this.#stopping.signal.throwIfAborted()
    const running = work(this.#context())
    this.#running.add(running)
    try {
      return await running
    } catch (error) {
      this.#stopping.signal.throwIfAborted()
      if (await this.#isGone())
        throw new MaestraError('interrupted', `sandbox ${this.name} was taken down meanwhile`, { cause: error })
      throw error
    } finally {
      this.#running.delete(running)
      await this.#removeRemains()
    }
  }

  #context(): SandboxContext {
    return { site: this.#site, sandbox: this.#sandbox, signal: this.#stopping.signal }
  }

  async #takeDown(): Promise<void> {
    this.#stopping.abort(new MaestraError('interrupted', `sandbox ${this.name} was stopped meanwhile`))
    await Promise.allSettled(this.#running)
    await takeDown(this.#site.host, this.#sandbox)
  }

  /** Another process may have taken it down while this one made files in it. */
  async #removeRemains(): Promise<void> {
    if (await this.#isGone()) await takeDownOwn(this.#site.host, this.#sandbox).catch(() => {})
  }

  async #isGone(): Promise<boolean> {
    return await isTakenDown(this.#site.host, this.#sandbox)
  }
}

class LiveNode implements SandboxNode {
  readonly name: string
  readonly #of: LiveSandbox

  constructor(of: LiveSandbox, name: string) {
    this.#of = of
    this.name = name
  }

  get role(): SandboxServer['role'] {
    return this.#of.serverOf(this.name).role
  }

  get host(): string {
    return this.#of.serverOf(this.name).host
  }

  get port(): number {
    return this.#of.serverOf(this.name).port
  }

  get url(): string {
    return this.#of.serverOf(this.name).url
  }

  lag(delay: string | number): Promise<void> {
    return this.#of.run((context) => lag(context, this.name, delay))
  }

  pause(): Promise<void> {
    return this.#of.run((context) => pause(context, this.name))
  }

  resume(): Promise<void> {
    return this.#of.run((context) => resume(context, this.name))
  }

  kill(): Promise<void> {
    return this.#of.run((context) => kill(context, this.name))
  }

  start(): Promise<void> {
    return this.#of.run((context) => start(context, this.name))
  }

  freeze(): Promise<void> {
    return this.#of.run((context) => freeze(context, this.name))
  }

  thaw(): Promise<void> {
    return this.#of.run((context) => thaw(context, this.name))
  }

  cut(): Promise<void> {
    return this.#of.run((context) => cut(context, this.name))
  }

  mend(): Promise<void> {
    return this.#of.run((context) => mend(context, this.name))
  }
}
