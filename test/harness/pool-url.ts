import type { SandboxNode } from '../../packages/maestra/src/index.js'

/** One connection string for several nodes of a sandbox, as libpq takes it; as the superuser unless another login is given. */
export function poolUrl(
  nodes: readonly SandboxNode[],
  login?: { readonly user: string; readonly password: string },
): string {
  const [first] = nodes
  if (first === undefined) throw new Error('no node')
  const url = new URL(first.url)
  const { user = url.username, password = url.password } = login ?? {}
  const hosts = nodes.map(({ host, port }) => `${host}:${port}`).join(',')
  return `postgresql://${user}:${password}@${hosts}${url.pathname}`
}
