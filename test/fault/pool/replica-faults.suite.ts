import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SandboxNode } from '../../../packages/maestra/src/index.js'
import type { FaultyLink } from '../../harness/faulty-link.js'
import { LinkedLoad, unharmed } from '../../harness/linked-load.js'
import { LinkedServers } from '../../harness/linked-servers.js'
import { sql } from '../../harness/sql.js'

type Running = { readonly report: Promise<unknown>; readonly pid: number; readonly on: 1 | 2 }

/** A replica is lost while a report runs on the other one. `report` reads nothing that is written meanwhile. */
export function describeReplicaFaults({
  report,
  timeout,
}: {
  readonly report: string
  readonly timeout: number
}): void {
  describe('a replica, while a report runs on the other one', () => {
    let servers: LinkedServers
    let linked: LinkedLoad

    beforeAll(async () => {
      servers = await LinkedServers.start()
    })
    beforeEach(async () => {
      linked = await LinkedLoad.begin(servers)
    })
    afterEach(() => linked?.end())
    afterAll(() => servers?.end())

    /** Begins one, and finds the replica that it is on. */
    async function startReport(): Promise<Running> {
      const running = linked.pool.session(() => linked.pool.query(report))
      running.catch(() => {})
      const look = `select pid from pg_stat_activity where state = 'active' and query = '${report}'`
      return await waitUntil<Running>(
        async () => {
          for (const on of [1, 2] as const) {
            const [row] = await sql<{ pid: number }>(servers.nodes[on].url, look)
            if (row !== undefined) return { done: true, value: { report: running, pid: row.pid, on } }
          }
          return { done: false, seen: 'none' }
        },
        { awaited: 'a report on a replica', deadline: Deadline.after(10_000) },
      )
    }

    it.each([
      { fault: 'is killed', harm: (node: SandboxNode) => node.kill(), heal: (node: SandboxNode) => node.start() },
      { fault: 'is frozen', harm: (node: SandboxNode) => node.freeze(), heal: (node: SandboxNode) => node.thaw() },
      {
        fault: 'is cut off',
        harm: (_: SandboxNode, link: FaultyLink) => link.cut(),
        heal: (_: SandboxNode, link: FaultyLink) => link.mend(),
      },
      {
        fault: 'does not hear or say a thing any more',
        harm: (_: SandboxNode, link: FaultyLink) => link.hold(),
        heal: (_: SandboxNode, link: FaultyLink) => link.mend(),
      },
    ])('R7: that $fault fails no read, disturbs no report, and is back soon', { timeout }, async ({ harm, heal }) => {
      const { report: running, pid, on } = await startReport()
      const which = on === 1 ? 2 : 1
      await harm(servers.nodes[which], servers.links[which])
      try {
        await linked.untilEjected(which)
        await linked.load.untilRead(50)
        await running
        // It was not asked again elsewhere: one whose connection was given up would have ended with its statement.
        const { url } = servers.nodes[on]
        expect(await sql(url, `select pid from pg_stat_activity where pid = ${pid}`)).toEqual([{ pid }])
      } finally {
        await heal(servers.nodes[which], servers.links[which])
      }
      await linked.untilInService(which)
      await linked.load.stop()
      expect(linked.harmed).toEqual(unharmed)
      expect(linked.load.failedWrites).toEqual([])
    })
  })
}
