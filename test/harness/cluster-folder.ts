import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterStatus } from 'maestra'
import { type MaestraOptions, type MaestraRun, maestra } from './maestra.js'
import { freePorts } from './ports.js'
import type { Workspace } from './workspace.js'

export type ClusterText = {
  /** `shop` by default. */
  readonly cluster?: string
  /** 18 by default, which comes along. */
  readonly version?: number
  /** Where the programs are; looked for by default. */
  readonly bin?: string
  readonly nodes: readonly string[]
  /** Where nodes have their data, if not in a folder of their own name. */
  readonly data?: Readonly<Record<string, string>>
  /** Whom a node follows, if not the primary. */
  readonly follows?: Readonly<Record<string, string>>
  /** Lines below `parameters:`, in place of those that make servers quick. */
  readonly parameters?: readonly string[]
  /** Lines at the top level. */
  readonly more?: readonly string[]
}

/** What a server that nobody will miss is spared. */
export const quickParameters: readonly string[] = [
  'fsync: off',
  'full_page_writes: off',
  'unix_socket_directories: ""',
  'shared_buffers: 16MB',
]

/** A folder with a cluster file, whose nodes keep their ports and their data in it. */
export class ClusterFolder {
  readonly directory: string
  readonly #workspace: Workspace
  readonly #ports: Map<string, number>

  protected constructor(workspace: Workspace, name: string, ports: ReadonlyMap<string, number>) {
    this.#workspace = workspace
    this.directory = workspace.folder(name)
    this.#ports = new Map(ports)
  }

  static async open(workspace: Workspace, name: string, nodes: readonly string[]): Promise<ClusterFolder> {
    const cluster = new ClusterFolder(workspace, name, await portsFor(nodes))
    cluster.declare({ nodes })
    return cluster
  }

  /** Writes the cluster file; the first node is the primary. */
  declare({
    cluster = 'shop',
    version = 18,
    bin,
    nodes,
    data = {},
    follows = {},
    parameters = quickParameters,
    more = [],
  }: ClusterText): void {
    const lines = nodes.map((name, index) => {
      const role = index === 0 ? ', primary: true' : follows[name] === undefined ? '' : `, follows: ${follows[name]}`
      return `  - { name: ${name}, port: ${this.port(name)}, data: ${data[name] ?? `./${name}`}${role} }`
    })
    const text = [
      `cluster: ${cluster}`,
      `postgres: { version: ${version}${bin === undefined ? '' : `, bin: ${bin}`} }`,
      'nodes:',
      ...lines,
      'parameters:',
      ...parameters.map((line) => `  ${line}`),
      ...more,
    ]
    this.write(`${text.join('\n')}\n`)
  }

  /** Any text as the cluster file. */
  write(text: string | Uint8Array): void {
    writeFileSync(this.file('maestra.yaml'), text)
  }

  port(node: string): number {
    const port = this.#ports.get(node)
    if (port === undefined) throw new Error(`the folder was opened without a node ${node}`)
    return port
  }

  /** Every node that it was opened with, declared or not. */
  get nodes(): readonly string[] {
    return [...this.#ports.keys()]
  }

  /** Moves a node to another port, from the next `declare` on. */
  move(node: string, port: number): void {
    this.#ports.set(node, port)
  }

  data(node: string): string {
    return join(this.directory, node)
  }

  file(name: string): string {
    return join(this.directory, name)
  }

  /** As the superuser, by the password in the passfile of the cluster. */
  url(node: string): string {
    return `postgres://postgres:${this.passwords()[0] ?? ''}@127.0.0.1:${this.port(node)}/postgres`
  }

  /** Every password in the passfile of the cluster: the superuser's, then the replication role's. */
  passwords(): readonly string[] {
    const lines = readFileSync(this.file('maestra.pgpass'), 'utf8').trim().split('\n')
    return [...new Set(lines.map((line) => line.split(':')[4] ?? ''))]
  }

  async run(args: readonly string[], options: MaestraOptions = {}): Promise<MaestraRun> {
    return await maestra(this.#workspace, args, { cwd: this.directory, ...options })
  }

  /** Applies the file; an error with what was said when that fails. */
  async apply(options: MaestraOptions = {}): Promise<MaestraRun> {
    const run = await this.run(['apply', '--yes'], options)
    if (run.code !== 0) throw new Error(`apply ended with ${run.code}\n${run.stdout}\n${run.stderr}`)
    return run
  }

  async status(options: MaestraOptions = {}): Promise<ClusterStatus> {
    return JSON.parse((await this.run(['status', '--json'], options)).stdout) as ClusterStatus
  }
}

/** A free port for each node. */
export async function portsFor(nodes: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const ports = await freePorts(nodes.length)
  return new Map(nodes.map((node, index) => [node, ports[index] ?? 0]))
}
