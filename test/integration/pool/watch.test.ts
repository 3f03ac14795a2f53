import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { type Sandbox, startSandbox } from 'maestra'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Watch } from '../../../packages/client/src/routing/watch.js'
import { sql } from '../../harness/sql.js'
import { connectAs } from '../../harness/watch-connection.js'

let shop: Sandbox

beforeAll(async () => {
  shop = await startSandbox({ replicas: 2 })
  await sql(shop.primary.url, `create role app login password 'app'`)
})

afterAll(() => shop?.stop())

function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`
}

describe('the watch of a cluster, as a plain role', () => {
  it('finds the primary and its replicas behind addresses in any order', async () => {
    const watch = new Watch({ addresses: shop.nodes.map(addressOf).reverse(), connect: connectAs('app', 'app') })
    watch.start()
    await waitUntil(
      () => {
        const roles = [...watch.topology.nodes.values()].map(({ role }) => role)
        const done = watch.topology.primaryState === 'known' && !roles.includes('unknown')
        return done ? { done, value: undefined } : { done: false, seen: roles.join() }
      },
      { awaited: 'all roles', deadline: Deadline.after(10_000) },
    )
    expect(watch.topology.primary?.address).toBe(addressOf(shop.primary))
    watch.stop()
  })
})
