import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { sql } from '../../harness/sql.js'
import { runScript } from './script.js'
import { called, connectedClient, errorOf, pidOf, poolsOf, type Subject, until } from './subject.js'

const afterEnd = 'Cannot use a pool after calling end on the pool'

/** How a pool ends, and how it lets its process end. */
export function poolEnd(subject: Subject): void {
  const open = poolsOf(subject)

  describe('pool.end', () => {
    it('resolves when all connections are closed', async () => {
      const pool = open()
      await Promise.all([pidOf(pool), pidOf(pool)])
      await pool.end()
      expect([pool.ending, pool.ended]).toEqual([true, true])
      expect([pool.totalCount, pool.idleCount]).toEqual([0, 0])
    })

    it('calls a callback', async () => {
      const pool = open()
      await pidOf(pool)
      const [error] = await called<readonly unknown[]>((callback) => pool.end(callback))
      expect(error).toBeFalsy()
      expect(pool.totalCount).toBe(0)
    })

    it('resolves for a pool that was never used', async () => {
      const pool = open()
      expect([pool.ending, pool.ended]).toEqual([false, false])
      await pool.end()
      expect(pool.ended).toBe(true)
    })

    it('leaves no session on any server', async () => {
      const pool = open({ application_name: 'leaves nothing' })
      await Promise.all([pidOf(pool), pool.query('select 1'), pidOf(pool)])
      await pool.end()
      const look = `select count(*)::int as n from pg_stat_activity where application_name = 'leaves nothing'`
      await until('no session', async () => {
        const counts = await Promise.all(subject.servers().nodeUrls.map((url) => countAt(url, look)))
        return counts.every((count) => count === 0)
      })
    })

    it('rejects the second time', async () => {
      const pool = open()
      await pool.end()
      expect((await errorOf(pool.end())).message).toBe('Called end on pool more than once')
      const [error] = await called<readonly [Error]>((callback) => pool.end(callback as () => void))
      expect(error.message).toBe('Called end on pool more than once')
    })

    it('refuses whatever comes after it', async () => {
      const pool = open()
      await pool.end()
      expect((await errorOf(pool.query('select 1'))).message).toBe(afterEnd)
      expect((await errorOf(pool.connect())).message).toBe(afterEnd)
      const [error] = await called<readonly [Error]>((callback) => pool.query('select 1', callback))
      expect(error.message).toBe(afterEnd)
      const [connectError] = await called<readonly [Error | undefined]>((callback) => pool.connect(callback))
      expect(connectError?.message).toBe(afterEnd)
    })

    it('lets a query that runs come to its end', async () => {
      const pool = open()
      const client = await connectedClient(pool)
      const query = client.query('select 1 as one, pg_sleep(0.05)').finally(() => client.release())
      await pool.end()
      expect((await query).rows[0].one).toBe(1)
      expect(pool.totalCount).toBe(0)
    })

    it('waits for a client that is out, which goes on to work', async () => {
      const pool = open()
      const client = await connectedClient(pool)
      let ended = false
      const end = pool.end().then(() => {
        ended = true
      })
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      expect(ended).toBe(false)
      client.release()
      await end
      expect(pool.totalCount).toBe(0)
    })

    it('can be called in the callback of a query', async () => {
      const pool = open()
      await called<readonly unknown[]>((callback) =>
        pool.query('select 1', () => void pool.end(callback as () => void)),
      )
      expect(pool.ended).toBe(true)
    })
  })

  describe('the process', () => {
    it('ends with idle connections where allowExitOnIdle is true', async () => {
      const options: pg.PoolConfig = { allowExitOnIdle: true, idleTimeoutMillis: 600_000 }
      const script = `const { rows } = await pool.query('select 1 as one')
        await (await pool.connect()).release()
        console.log(rows[0].one, pool.options.allowExitOnIdle)`
      expect(await runScript(subject, script, options)).toEqual({ code: 0, stdout: '1 true\n', stderr: '' })
    })

    it('does not end before a query that runs is answered, allowExitOnIdle or not', async () => {
      const script = `await pool.query('select 1')
        pool.query('select 2 as two, pg_sleep(0.1)', (error, result) => console.log(error, result.rows[0].two))`
      const run = await runScript(subject, script, { allowExitOnIdle: true, idleTimeoutMillis: 600_000 })
      expect(run).toEqual({ code: 0, stdout: 'undefined 2\n', stderr: '' })
    })

    it('ends when the last idle connection was closed', async () => {
      const run = await runScript(subject, `await pool.query('select 1')`, { idleTimeoutMillis: 20 })
      expect(run).toEqual({ code: 0, stdout: '', stderr: '' })
    })

    it('ends after pool.end', async () => {
      const script = `await Promise.all([pool.query('select 1'), pool.query('select 2')])
        await pool.end()
        console.log(pool.totalCount)`
      const run = await runScript(subject, script, { idleTimeoutMillis: 600_000 })
      expect(run).toEqual({ code: 0, stdout: '0\n', stderr: '' })
    })
  })
}

async function countAt(url: string, text: string): Promise<unknown> {
  const [row] = await sql(url, text)
  return row?.['n']
}
