import { timeText } from '../../cluster/amount-text.js'
import type { Sandbox, SandboxNode } from '../../sandbox/sandbox.js'
import type { Terminal } from '../terminal.js'
import { table } from './table.js'

type Shown = Pick<SandboxNode, 'name' | 'role' | 'url'>

/** What is told about a sandbox. */
export type ShownSandbox = Pick<Sandbox, 'name' | 'directory' | 'startedInMs'> & {
  readonly nodes: readonly Shown[]
  readonly primary: Shown
  readonly replicas: readonly Shown[]
}

/** What `sandbox up --json` prints: one line, described in docs/test-replicas.md. */
export function sandboxJson({ name, directory, startedInMs, nodes }: ShownSandbox): string {
  const described = nodes.map(({ name: node, role, url }) => ({ name: node, role, url }))
  return `${JSON.stringify({ name, directory, startedInMs, nodes: described })}\n`
}

/** The connection strings and three things to try. */
export function welcomeView(sandbox: ShownSandbox, to: Terminal, kind: 'watched' | 'detached' = 'watched'): string {
  const { name, startedInMs, nodes, primary, replicas } = sandbox
  const replica = replicas[0] ?? primary
  const sql = (node: string, statement: string) =>
    `     npx maestra sandbox sql --name ${name} ${node} "${statement}"\n`
  return [
    `\nsandbox ${to.colour('bold', name)} is up after ${timeText(startedInMs)}\n\n`,
    table(nodes.map((node) => [`  ${node.name}`, node.role, node.url])),
    '\nThree things to try, in another terminal:\n\n',
    `  1. write on the primary\n${sql(primary.name, "create table greeting as select text from (values ('hola')) as v (text)")}`,
    `  2. read it on a replica\n${sql(replica.name, 'select * from greeting')}`,
    `  3. see a replica refuse a write\n${sql(replica.name, 'delete from greeting')}`,
    kind === 'watched' ? '\nCtrl-C takes it down.\n\n' : `\nIt lives until: npx maestra sandbox down ${name}\n`,
  ].join('')
}
