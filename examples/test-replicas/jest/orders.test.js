import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { startSandbox } from 'maestra'
import pg from 'pg'
import { Orders } from './orders.js'

let cluster
let orders

beforeAll(async () => {
  cluster = await startSandbox({ replicas: 2 })
  await onPrimary('create table orders (id int generated always as identity primary key, item text)')
  orders = new Orders(cluster.nodes.map((node) => node.url))
}, 60_000)

afterAll(async () => {
  await orders?.close()
  await cluster?.stop()
})

// A fault lasts until it is undone, also when the test that asked for it has failed.
afterEach(async () => {
  for (const replica of cluster.replicas) await replica.lag(0)
})

test('a customer sees the order that was just made, however late the replicas are', async () => {
  for (const replica of cluster.replicas) await replica.lag('1h')
  const id = await orders.add('tea')
  expect(await orders.item(id)).toBe('tea')
})

test('orders are taken again after a failover', async () => {
  await untilReplayed()
  await cluster.primary.kill()
  await expect(orders.add('coffee')).rejects.toThrow('no server takes orders')
  await cluster.promote('db2')
  const id = await orders.add('coffee')
  expect(await orders.item(id)).toBe('coffee')
})

async function onPrimary(sql) {
  const client = new pg.Client(cluster.primary.url)
  await client.connect()
  return await client.query(sql).finally(() => client.end())
}

/** Replicas are asynchronous: what one has not received when its primary is killed is lost. */
async function untilReplayed() {
  const behind = 'select from pg_stat_replication where replay_lsn < pg_current_wal_insert_lsn()'
  while ((await onPrimary(behind)).rowCount !== 0) await sleep(10)
}
