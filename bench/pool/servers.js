// @ts-check
// What the benchmarks of the pool share: servers with something to read and to write.
import pg from 'pg'
import { startSandbox } from '../../packages/maestra/dist/index.js'

/** Rows of `orders`, which are read by id, and of `counter`, which only grow. */
export const orderCount = 10_000
export const counterCount = 1_000

const tables = `
  create table orders (id int primary key, customer text not null, total numeric not null, changed_at timestamptz not null default now());
  insert into orders select id, 'customer ' || id, id * 1.5 from generate_series(1, ${orderCount}) id;
  create table payment (id bigint generated always as identity primary key, order_id int not null, amount numeric not null);
  create table counter (id int primary key, value bigint not null default 0);
  insert into counter select generate_series(1, ${counterCount});
  analyze`

/**
 * Starts a primary and `replicas`, runs the work, and takes them down again. @template T @param {number} replicas
 * @param {(sandbox: Awaited<ReturnType<typeof startSandbox>>) => Promise<T>} work @returns {Promise<T>}
 */
export async function onServers(replicas, work) {
  const sandbox = await startSandbox({ replicas })
  try {
    await ask(sandbox.primary.url, tables)
    for (const { url } of sandbox.replicas) await untilThere(url)
    return await work(sandbox)
  } finally {
    await sandbox.stop()
  }
}

/** One connection string for all of them. @param {readonly { readonly url: string, readonly host: string, readonly port: number }[]} nodes */
export function urlOf(nodes) {
  const [first] = nodes
  if (first === undefined) throw new Error('no node')
  const { username, password, pathname } = new URL(first.url)
  return `postgresql://${username}:${password}@${nodes.map(({ host, port }) => `${host}:${port}`).join(',')}${pathname}`
}

/** @param {string} url @param {string} text @returns {Promise<readonly Record<string, unknown>[]>} */
export async function ask(url, text) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows ?? []
  } finally {
    await client.end()
  }
}

/** @param {string} url */
async function untilThere(url) {
  const deadlineMs = performance.now() + 10_000
  while (performance.now() < deadlineMs) {
    const [row] = await ask(url, `select count(*)::int as count from counter`).catch(() => [])
    if (row?.['count'] === counterCount) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`${url} did not get the tables within 10 s`)
}
