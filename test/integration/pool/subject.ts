import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import type pg from 'pg'
import { afterEach, expect } from 'vitest'

/** The servers that a subject's pools reach. */
export type Servers = {
  /** What a pool is given to reach them: a case adds its options. */
  readonly connection: pg.PoolConfig
  /** The same as a connection string. */
  readonly url: string
  /** One connection string for each server, the primary's first: for looking, and for ending backends. */
  readonly nodeUrls: readonly [string, ...string[]]
}

/**
 * An implementation of node-postgres' Pool on some servers, and the places where it may differ from `pg.Pool`: each is
 * read where a case would expect the same of all.
 */
export type Subject = {
  readonly name: string
  readonly Pool: new (options?: pg.PoolConfig) => pg.Pool
  /** Lines of a module that make `Pool` known: for cases that need a process of their own. */
  readonly imports: string
  /** Known once the servers run: within cases, not while they are registered. */
  readonly servers: () => Servers
  /** A client of connect() is a server connection from the start; false: it gets one with its first statement. */
  readonly connectOpensConnection: boolean
  /** The connection of a failed `pool.query` is closed. */
  readonly failedQueryClosesConnection: boolean
  /** BEGIN through `pool.query`, which opens a transaction on whichever connection is free. */
  readonly transactionOnPool: 'runs' | 'is refused'
  /** An 'error' of an idle connection that nobody listens for ends the process. */
  readonly unheardErrorEndsProcess: boolean
  /** Clients of connect() are the pool's connections: the same object comes again. */
  readonly clientsAreConnections: boolean
  /** What becomes of a connection that is released inside a transaction. */
  readonly openTransaction: 'is left open' | 'ends with its connection'
}

export type OpenPool = (options?: pg.PoolConfig) => pg.Pool

/** Opens pools on the subject's servers, which are ended after each case. Call it once in a describe. */
export function poolsOf(subject: Subject): OpenPool {
  const opened: pg.Pool[] = []
  // A case that failed with a client in its hands would hold its pool's end up for ever.
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((pool) => (pool.ending ? undefined : pool.end())))
  }, 5_000)
  return (options = {}) => {
    const pool = new subject.Pool({ ...subject.servers().connection, ...options })
    opened.push(pool)
    return pool
  }
}

/** A statement that says which connection ran it. It depends on the server, so it is for the primary. */
const backendPid = 'select pg_backend_pid() as pid'

export async function pidOf(queryable: pg.Pool | pg.ClientBase): Promise<number> {
  const { rows } = await queryable.query<{ pid: number }>(backendPid)
  return rows[0]?.pid ?? 0
}

/** A client that has its connection to the primary, whenever the subject opens it. */
export async function connectedClient(pool: pg.Pool): Promise<pg.PoolClient> {
  const client = await pool.connect()
  await client.query(backendPid)
  return client
}

/** Runs something on a client, and looks whether that can be used afterwards. */
export function usableAfterwards(open: OpenPool): (run: (client: pg.PoolClient) => Promise<void>) => Promise<void> {
  return async (run) => {
    const client = await open().connect()
    try {
      await run(client)
      expect((await client.query('select $1::text as after', ['usable'])).rows).toEqual([{ after: 'usable' }])
    } finally {
      client.release()
    }
  }
}

/** What a callback is called with, the first time. */
export async function called<A extends readonly unknown[]>(
  start: (callback: (...args: A) => void) => unknown,
): Promise<A> {
  return await new Promise((resolve) => {
    start((...args) => resolve(args))
  })
}

/** The error with which a promise rejects. */
export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    () => undefined,
    (error: Error) => error,
  )
  if (outcome === undefined) throw new Error('it did not fail')
  return outcome
}

/** Waits for a state that comes by itself, and not because an idle connection is closed after 10 s. */
export async function until(awaited: string, look: () => boolean | Promise<boolean>): Promise<void> {
  await waitUntil(async () => ((await look()) ? { done: true, value: undefined } : { done: false, seen: 'not yet' }), {
    awaited,
    deadline: Deadline.after(5_000),
    everyMs: 5,
  })
}
