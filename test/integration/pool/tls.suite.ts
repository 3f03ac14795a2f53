import { chownSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../../harness/sql.js'
import { type SelfSignedCertificate, selfSignedCertificate } from './self-signed-certificate.js'
import { errorOf, poolsOf, type Subject, until } from './subject.js'

const isEncrypted = 'select ssl, version from pg_stat_ssl where pid = pg_backend_pid()'

/** The option ssl. Its servers speak TLS while these cases run. */
export function tls(subject: Subject): void {
  const open = poolsOf(subject)
  const certificate = selfSignedCertificate()
  const ca = certificate.certificate

  it('a server without TLS fails whoever asks for it', async () => {
    const pool = open({ ssl: { rejectUnauthorized: false } })
    expect((await errorOf(pool.query('select 1'))).message).toBe('The server does not support SSL connections')
    await until('no connection', () => pool.totalCount === 0)
  })

  describe('ssl', () => {
    beforeAll(async () => {
      for (const url of subject.servers().nodeUrls) await speakTls(url, certificate)
    })
    afterAll(async () => {
      for (const url of subject.servers().nodeUrls) await speakNoTls(url)
    })

    it('is not used where it is not asked for', async () => {
      expect((await open().query(isEncrypted)).rows).toEqual([{ ssl: false, version: null }])
    })

    it('with the certificate of the authority: the server is verified', async () => {
      const { rows } = await open({ ssl: { ca } }).query(isEncrypted)
      expect(rows).toEqual([{ ssl: true, version: 'TLSv1.3' }])
    })

    it('without it: an unknown certificate fails the query', async () => {
      const pool = open({ ssl: true })
      expect(await errorOf(pool.query('select 1'))).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
      await until('no connection', () => pool.totalCount === 0)
    })

    it('with rejectUnauthorized false: any certificate will do', async () => {
      const { rows } = await open({ ssl: { rejectUnauthorized: false } }).query(isEncrypted)
      expect(rows[0].ssl).toBe(true)
    })

    it('checks the name of the server by a function of one’s own', async () => {
      const checkServerIdentity = () => new Error('not the server that we know')
      const pool = open({ ssl: { ca, checkServerIdentity } })
      expect((await errorOf(pool.query('select 1'))).message).toBe('not the server that we know')
    })

    it('starts at once where sslnegotiation is direct', async () => {
      const { rows } = await open({ ssl: { ca }, sslnegotiation: 'direct' }).query(isEncrypted)
      expect(rows[0].ssl).toBe(true)
    })

    it('is understood in a connection string: sslmode=no-verify', async () => {
      const pool = new subject.Pool({ connectionString: `${subject.servers().url}?sslmode=no-verify` })
      const { rows } = await pool.query(isEncrypted)
      await pool.end()
      expect(rows[0].ssl).toBe(true)
    })

    it('binds the password to the channel where enableChannelBinding is true', async () => {
      const { rows } = await open({ ssl: { ca }, enableChannelBinding: true }).query(isEncrypted)
      expect(rows[0].ssl).toBe(true)
    })

    it('does not show a key of the client', () => {
      const pool = open({ ssl: { ca, key: certificate.key } })
      const { ssl } = pool.options as { ssl: pg.PoolConfig['ssl'] }
      expect(Object.keys(ssl as object)).not.toContain('key')
    })

    it('carries the writes of many callers, each of whom reads what it has written', async () => {
      const pool = open({ ssl: { ca } })
      await pool.query('create table encrypted (id int primary key, value int not null)')
      await pool.query('insert into encrypted select id, 0 from generate_series(1, 16) id')
      const callers = Array.from({ length: 16 }, async (_each, at) => {
        for (let round = 1; round <= 50; round += 1) {
          await pool.query('update encrypted set value = $2 where id = $1', [at + 1, round])
          const { rows } = await pool.query('select value from encrypted where id = $1', [at + 1])
          expect(rows).toEqual([{ value: round }])
        }
      })
      await Promise.all(callers)
      await pool.query('drop table encrypted')
    })

    it('carries transactions and large results as well', async () => {
      const pool = open({ ssl: { ca } })
      const client = await pool.connect()
      await client.query('begin')
      const { rows } = await client.query(
        `select repeat('x', 1000000) as long, (${isEncrypted.replace(', version', '')})`,
      )
      await client.query('commit')
      client.release()
      expect([rows[0].long.length, rows[0].ssl]).toEqual([1_000_000, true])
    })
  })
}

async function speakTls(url: string, { certificate, key }: SelfSignedCertificate): Promise<void> {
  const [row] = await sql<{ directory: string }>(url, 'select current_setting($$data_directory$$) as directory')
  const directory = row?.directory ?? ''
  const { uid, gid } = statSync(directory)
  for (const [file, text] of Object.entries({ 'server.crt': certificate, 'server.key': key })) {
    const path = join(directory, file)
    writeFileSync(path, text, { mode: 0o600 })
    if (process.getuid?.() === 0) chownSync(path, uid, gid)
  }
  await sql(url, 'alter system set ssl = on')
  await sql(url, 'select pg_reload_conf()')
  await until('ssl', async () => await tlsWorks(url))
}

async function speakNoTls(url: string): Promise<void> {
  await sql(url, 'alter system reset ssl')
  await sql(url, 'select pg_reload_conf()')
  await until('no ssl', async () => !(await tlsWorks(url)))
}

async function tlsWorks(url: string): Promise<boolean> {
  const rows = await sql(`${url}?sslmode=no-verify`, 'select 1').catch(() => [])
  return rows.length === 1
}
