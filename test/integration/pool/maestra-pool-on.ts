import { Pool } from '@maestra/client'
import type { Sandbox } from 'maestra'
import type pg from 'pg'
import { poolUrl } from '../../harness/pool-url.js'
import type { Subject } from './subject.js'

/** Our pool on all servers of a sandbox. */
export function maestraPoolOn(
  sandbox: () => Sandbox,
  servers: 'a single server' | 'a primary and its replicas',
): Subject {
  const isSingle = servers === 'a single server'
  return {
    name: `the pool of Maestra on ${servers}`,
    Pool: Pool as unknown as new (options?: pg.PoolConfig) => pg.Pool,
    imports: `import { Pool } from '@maestra/client'`,
    servers: () => {
      const { nodes, primary } = sandbox()
      const { username, password, pathname } = new URL(primary.url)
      const host = nodes.map((node) => node.host).join(',')
      const port = nodes.map((node) => node.port).join(',')
      const connection = {
        host,
        port,
        user: username,
        password,
        database: pathname.slice(1),
      } as unknown as pg.PoolConfig
      const [first = '', ...others] = nodes.map((node) => node.url)
      return { connection, url: poolUrl(nodes), nodeUrls: [first, ...others] }
    },
    connectOpensConnection: isSingle,
    failedQueryClosesConnection: false,
    transactionOnPool: 'is refused',
    unheardErrorEndsProcess: isSingle,
    clientsAreConnections: false,
    openTransaction: 'ends with its connection',
  }
}
