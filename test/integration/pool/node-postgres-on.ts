import type { Sandbox } from 'maestra'
import pg from 'pg'
import type { Subject } from './subject.js'

/** node-postgres itself on the primary of a sandbox: what all others are compared with. */
export function nodePostgresOn(sandbox: () => Sandbox): Subject {
  return {
    name: 'pg.Pool on a single server',
    Pool: pg.Pool,
    imports: `import pg from 'pg'\nconst { Pool } = pg`,
    servers: () => {
      const { host, port, url } = sandbox().primary
      const { username, password, pathname } = new URL(url)
      const connection = { host, port, user: username, password, database: pathname.slice(1) }
      return { connection, url, nodeUrls: [url] }
    },
    connectOpensConnection: true,
    failedQueryClosesConnection: true,
    transactionOnPool: 'runs',
    unheardErrorEndsProcess: true,
    clientsAreConnections: true,
    openTransaction: 'is left open',
  }
}
