import { type Sandbox, type SandboxNode, startSandbox } from '../../packages/maestra/src/index.js'
import { counterTable } from './counters.js'
import { FaultyLink } from './faulty-link.js'
import { sql } from './sql.js'

/** db1, the primary; db2 and db3, its replicas. */
export type Which = 0 | 1 | 2

/** A primary and two replicas, and a link before each. */
export class LinkedServers {
  readonly sandbox: Sandbox
  readonly nodes: readonly [SandboxNode, SandboxNode, SandboxNode]
  readonly links: readonly [FaultyLink, FaultyLink, FaultyLink]

  private constructor(sandbox: Sandbox, links: LinkedServers['links']) {
    this.sandbox = sandbox
    this.nodes = nodesOf(sandbox)
    this.links = links
  }

  static async start(): Promise<LinkedServers> {
    const sandbox = await startSandbox({ replicas: 2 })
    await sql(sandbox.primary.url, counterTable)
    const [db1, db2, db3] = nodesOf(sandbox)
    return new LinkedServers(sandbox, [await FaultyLink.to(db1), await FaultyLink.to(db2), await FaultyLink.to(db3)])
  }

  addressOf(which: Which): string {
    const { host, port } = this.links[which]
    return `${host}:${port}`
  }

  /** For a pool that reaches each server by its link. */
  get url(): string {
    const { username, password } = new URL(this.nodes[0].url)
    const hosts = ([0, 1, 2] as const).map((which) => this.addressOf(which)).join(',')
    return `postgresql://${username}:${password}@${hosts}/postgres`
  }

  async end(): Promise<void> {
    await this.sandbox.stop()
    await Promise.all(this.links.map((link) => link.close()))
  }
}

function nodesOf(sandbox: Sandbox): LinkedServers['nodes'] {
  return [sandbox.node('db1'), sandbox.node('db2'), sandbox.node('db3')]
}
