import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { sql } from '../../harness/sql.js'
import { called, connectedClient, errorOf, pidOf, poolsOf, type Subject, until } from './subject.js'

type Outcome = readonly [Error | undefined | null, pg.QueryResult | undefined]

/** What a client of a pool can do besides what its pool can. */
export function client(subject: Subject): void {
  const open = poolsOf(subject)

  async function onClient(run: (client: pg.PoolClient) => Promise<void>, options: pg.PoolConfig = {}): Promise<void> {
    const pool = open(options)
    const one = await pool.connect()
    try {
      await run(one)
    } finally {
      one.release()
    }
  }

  describe('client.query', () => {
    it('takes a text, values and a callback in all their combinations', async () => {
      await onClient(async (client) => {
        const one = { text: 'select 1 as n' }
        const given = { text: 'select $1::int as n', values: [1] }
        const outcomes = [
          await called<Outcome>((callback) => client.query(one.text, callback)),
          await called<Outcome>((callback) => client.query(given.text, given.values, callback)),
          await called<Outcome>((callback) => client.query(one, callback)),
          await called<Outcome>((callback) => client.query(given, callback)),
          [undefined, await client.query(one.text)],
          [undefined, await client.query(given.text, given.values)],
          [undefined, await client.query(one)],
          [undefined, await client.query(given)],
          [undefined, await client.query({ text: given.text }, given.values)],
        ] as const
        for (const [error, result] of outcomes) {
          expect(error).toBeFalsy()
          expect(result?.rows).toEqual([{ n: 1 }])
        }
      })
    })

    it('returns nothing when it is given a callback', async () => {
      await onClient(async (client) => {
        let returned: unknown = 'nothing was returned yet'
        await called<Outcome>((callback) => {
          returned = client.query('select 1', callback)
        })
        expect(returned).toBeUndefined()
      })
    })

    it('calls the callback with the error of the server', async () => {
      await onClient(async (client) => {
        const [error, result] = await called<Outcome>((callback) => client.query('selekt', callback))
        expect(error).toMatchObject({ code: '42601' })
        expect(result).toBeUndefined()
      })
    })

    it('gives arrays where rowMode says so', async () => {
      await onClient(async (client) => {
        const { rows } = await client.query({ text: 'select 1, 2', rowMode: 'array' })
        expect(rows).toEqual([[1, 2]])
      })
    })

    it('prepares a named statement once on its connection', async () => {
      await onClient(async (client) => {
        const add = (values: number[]) => client.query({ name: 'add', text: 'select $1::int + $2::int as sum', values })
        await pidOf(client)
        expect((await add([1, 2])).rows).toEqual([{ sum: 3 }])
        expect((await add([3, 4])).rows).toEqual([{ sum: 7 }])
        // The text may be left out once the connection has the name.
        const again = { name: 'add', values: [5, 6] } as unknown as pg.QueryConfig
        expect((await client.query(again)).rows).toEqual([{ sum: 11 }])
        const prepared = `select name, statement, (generic_plans + custom_plans)::int as runs, pg_backend_pid() > 0 as here
          from pg_prepared_statements`
        expect((await client.query(prepared)).rows).toEqual([
          { name: 'add', statement: 'select $1::int + $2::int as sum', runs: 3, here: true },
        ])
      })
    })

    it('takes a name of 63 bytes', async () => {
      await onClient(async (client) => {
        const name = 'n'.repeat(63)
        expect((await client.query({ name, text: 'select 1 as one' })).rows).toEqual([{ one: 1 }])
        expect((await client.query({ name, text: 'select 1 as one' })).rows).toEqual([{ one: 1 }])
      })
    })

    it('emits drain when nothing is left to do', async () => {
      await onClient(async (client) => {
        await pidOf(client)
        const drained = new Promise<void>((resolve) => client.once('drain', resolve))
        await Promise.all([client.query('select 1'), client.query('select 2')])
        await drained
        expect(client.getTransactionStatus()).toBe('I')
      })
    })
  })

  describe('the session of a client', () => {
    it('is the one of its processID', async () => {
      await onClient(async (client) => {
        await pidOf(client)
        expect((client as unknown as { processID: number }).processID).toBe(await pidOf(client))
      })
    })

    it('stays the one of its processID when that was looked at first', async () => {
      await onClient(async (client) => {
        await client.query('select 1')
        const { processID } = client as unknown as { processID: number }
        expect(await pidOf(client)).toBe(processID)
      })
    })

    it('has a connection, on a socket', async () => {
      await onClient(async (client) => {
        await pidOf(client)
        expect(client.connection).toHaveProperty('sync')
        expect(client.connection.stream.writable).toBe(true)
      })
    })

    it('has user and database', async () => {
      await onClient(async (client) => {
        await pidOf(client)
        expect([client.user, client.database]).toEqual(['postgres', 'postgres'])
      })
    })

    it('hears what it listens for: channel, payload and the process that notified', async () => {
      await onClient(async (client) => {
        const heard: pg.Notification[] = []
        client.on('notification', (message) => heard.push(message))
        await client.query('listen "door bell"')
        await sql(subject.servers().nodeUrls[0], `notify "door bell", 'ñandú'`)
        await until('a notification', () => heard.length === 1)
        await client.query(`select pg_notify('door bell', '')`)
        await until('two notifications', () => heard.length === 2)
        expect(heard).toMatchObject([
          { channel: 'door bell', payload: 'ñandú', processId: expect.any(Number) },
          { channel: 'door bell', payload: '', processId: await pidOf(client) },
        ])
        await client.query('unlisten *')
      })
    })

    it('gets the notices of the server', async () => {
      await onClient(async (client) => {
        const notices: unknown[] = []
        client.on('notice', (notice) => notices.push(notice))
        await client.query(`do $$ begin raise notice 'two seats are left' using hint = 'be quick'; end $$`)
        await client.query('drop table if exists no_such_table')
        expect(notices).toMatchObject([
          { severity: 'NOTICE', message: 'two seats are left', hint: 'be quick' },
          { code: '00000', message: 'table "no_such_table" does not exist, skipping' },
        ])
      })
    })

    it('ends with an event', async () => {
      const pool = open()
      const one = await connectedClient(pool)
      const ended = new Promise<void>((resolve) => one.once('end', resolve))
      one.release(true)
      await ended
      expect(pool.totalCount).toBe(0)
    })

    it('holds a lock on its own, from one statement to the next', async () => {
      const pool = open()
      await onClient(async (client) => {
        await client.query('select pg_advisory_lock(99)')
        expect((await pool.query('select pg_try_advisory_lock(99) as got')).rows).toEqual([{ got: false }])
        expect((await client.query('select pg_advisory_unlock(99) as had')).rows).toEqual([{ had: true }])
      })
    })

    it('has the cursors that SQL declared', async () => {
      await onClient(async (client) => {
        await client.query('begin; declare c cursor for select n from generate_series(1, 5) as n')
        expect((await client.query('fetch 2 from c')).rows).toEqual([{ n: 1 }, { n: 2 }])
        expect(await client.query('fetch all from c')).toMatchObject({ command: 'FETCH', rowCount: 3 })
        await client.query('commit')
      })
    })

    it('can be unreferenced and referenced', async () => {
      await onClient(async (client) => {
        await pidOf(client)
        const { ref, unref } = client as unknown as Record<'ref' | 'unref', () => void>
        unref.call(client)
        ref.call(client)
        expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      })
    })
  })

  describe('escaping', () => {
    const awkward = [`it's`, 'say "x"', 'back\\slash', `\\' or 1 = 1 --`, 'ñ💶', '']

    it.each(awkward)('a literal is read back by the server as it was: %j', async (text) => {
      await onClient(async (client) => {
        const { rows } = await client.query(`select ${client.escapeLiteral(text)} as back`)
        expect(rows).toEqual([{ back: text }])
        expect(client.escapeLiteral(text)).toBe(pg.escapeLiteral(text))
      })
    })

    it.each(awkward.slice(0, 5))('an identifier is read back by the server as it was: %j', async (name) => {
      await onClient(async (client) => {
        const { fields } = await client.query(`select 1 as ${client.escapeIdentifier(name)}`)
        expect(fields.map((field) => field.name)).toEqual([name])
        expect(client.escapeIdentifier(name)).toBe(pg.escapeIdentifier(name))
      })
    })
  })

  describe('a client without a pool, of the pool’s Client', () => {
    const make = () => {
      const { Client } = open() as unknown as { Client: typeof pg.Client }
      // A client leads to one server.
      return new Client({ connectionString: subject.servers().nodeUrls[0] })
    }

    it('connects, queries and ends by promises, and emits end', async () => {
      const alone = make()
      const ended = new Promise<void>((resolve) => alone.once('end', resolve))
      await alone.connect()
      expect((await alone.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await alone.end()
      await ended
      expect((await errorOf(alone.query('select 1'))).message).toMatch(/not queryable/)
    })

    it('connects, queries and ends by callbacks', async () => {
      const alone = make()
      const [connectError] = await called<readonly unknown[]>((callback) => alone.connect(callback))
      expect(connectError).toBeFalsy()
      const [, result] = await called<Outcome>((callback) => alone.query('select 1 as one', callback))
      expect(result?.rows).toEqual([{ one: 1 }])
      await called<readonly unknown[]>((callback) => alone.end(callback as () => void))
    })

    it('takes queries before it is connected', async () => {
      const alone = make()
      const early = Promise.all([alone.query('select 1 as n'), alone.query('select 2 as n')])
      await alone.connect()
      expect((await early).map((result) => result.rows[0].n)).toEqual([1, 2])
      await alone.end()
    })

    it('cannot be connected twice', async () => {
      const alone = make()
      await alone.connect()
      expect((await errorOf(alone.connect())).message).toMatch(/already been connected/)
      await alone.end()
    })
  })
}
