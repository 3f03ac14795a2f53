import type { ListedSandbox } from '../../sandbox/open-sandbox.js'
import { table } from './table.js'

export function sandboxListView(sandboxes: readonly ListedSandbox[]): string {
  if (sandboxes.length === 0) return 'no sandbox is up\n'
  const rows = sandboxes.flatMap((sandbox) =>
    sandbox.nodes.map((node) => [sandbox.name, node.name, node.role, String(sandbox.ownerPid ?? '-'), node.url]),
  )
  return table([['SANDBOX', 'NODE', 'ROLE', 'OWNER', 'URL'], ...rows])
}

export function sandboxListJson(sandboxes: readonly ListedSandbox[]): string {
  const described = sandboxes.map(({ nodes, ...rest }) => ({
    ...rest,
    nodes: nodes.map(({ name, role, url }) => ({ name, role, url })),
  }))
  return `${JSON.stringify(described, null, 2)}\n`
}
