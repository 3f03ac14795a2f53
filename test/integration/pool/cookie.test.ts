import { createServer, type IncomingMessage } from 'node:http'
import { connect, createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { get } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { Pool } from '@maestra/client'
import { causality } from '@maestra/client/http'
import express from 'express'
import { type Sandbox, startSandbox } from 'maestra'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { poolUrl } from '../../harness/pool-url.js'
import { selfSignedCertificate } from './self-signed-certificate.js'
import { until } from './subject.js'

let sandbox: Sandbox
const pools: Pool[] = []
const servers: Server[] = []

beforeAll(async () => {
  sandbox = await startSandbox({ replicas: 1 })
  await openPool().query('create table note (id int primary key)')
})
afterAll(async () => {
  for (const server of servers) server.close()
  await Promise.all(pools.map((pool) => pool.end()))
  await sandbox?.stop()
})

function openPool(): Pool {
  const pool = new Pool({ connectionString: poolUrl(sandbox.nodes) })
  pools.push(pool)
  return pool
}

/** The same pool, when it knows enough of the database to tell a read from a write. */
async function readingPool(pool: Pool | undefined): Promise<Pool> {
  if (pool === undefined) throw new Error('no pool was opened')
  await until('a read to be proven', async () => {
    await pool.query('select id from note')
    return pool.explainRoute('select id from note').statement.kind === 'read'
  })
  return pool
}

/** An application of its own, as a second process would be: its pool knows nothing of the other's writes. */
async function listen(server: Server): Promise<string> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function expressApplication(): Promise<string> {
  const pool = openPool()
  const app = express()
  app.use(causality(pool))
  app.post('/note/:id', async (request, response) => {
    await pool.query('insert into note values ($1)', [request.params.id])
    response.sendStatus(201)
  })
  app.get('/note/:id', async (request, response) => {
    const { rowCount } = await pool.query('select id from note where id = $1', [request.params.id])
    response.sendStatus(rowCount === 1 ? 200 : 404)
  })
  return await listen(createServer(app))
}

async function plainApplication(): Promise<string> {
  const pool = openPool()
  const carry = causality(pool)
  const server = createServer((request, response) => {
    carry(request, response, async () => {
      response.writeHead(await answer(pool, request)).end()
    })
  })
  return await listen(server)
}

async function answer(pool: Pool, { url, method }: IncomingMessage | Http2ServerRequest): Promise<number> {
  const text = method === 'POST' ? 'insert into note values ($1)' : 'select id from note where id = $1'
  const { rowCount } = await pool.query(text, [url?.split('/')[2]])
  return rowCount === 1 ? 200 : 404
}

const { certificate, key } = selfSignedCertificate()

/** HTTP/2 over TLS, and HTTP/1.1 on the same port for who asks for that. */
async function secureApplication(): Promise<string> {
  const pool = openPool()
  const carry = causality(pool)
  const listener = (request: Http2ServerRequest, response: Http2ServerResponse) =>
    void carry(request, response, async () => {
      response.writeHead(await answer(pool, request))
      response.end()
    })
  const server = createSecureServer({ key, cert: certificate, allowHTTP1: true }, listener)
  return (await listen(server)).replace('http:', 'https:')
}

type Answered = { readonly status: number | undefined; readonly cookies: readonly string[] }

/** One request of a session of HTTP/2. */
async function request2(url: string, path: string, headers: Record<string, string> = {}): Promise<Answered> {
  const session = connect(url, { ca: certificate })
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject)
      const stream = session.request({ ':path': path, ...headers })
      stream.on('error', reject)
      stream.on('response', (head) => resolve({ status: head[':status'], cookies: head['set-cookie'] ?? [] }))
      stream.resume()
    })
  } finally {
    session.close()
  }
}

/** The same by HTTP/1.1. */
async function request1(url: string, path: string, headers: Record<string, string>): Promise<Answered> {
  return await new Promise((resolve, reject) => {
    const asked = get(`${url}${path}`, { ca: certificate, agent: false, headers }, (response) => {
      response.resume()
      resolve({ status: response.statusCode, cookies: response.headers['set-cookie'] ?? [] })
    })
    asked.on('error', reject)
  })
}

describe('a cookie', () => {
  it('has what one application wrote seen by a read of another one, however late its replica is', async () => {
    const [replica] = sandbox.replicas
    const writing = await expressApplication()
    const reading = await plainApplication()
    expect((await fetch(`${reading}/note/0`)).status).toBe(404)
    await replica?.pause()
    try {
      const posted = await fetch(`${writing}/note/1`, { method: 'POST' })
      const [cookie = ''] = posted.headers.getSetCookie()
      expect(cookie).toMatch(/^maestra=[\w-]{27}; .*HttpOnly; SameSite=Lax; Secure$/)
      expect((await fetch(`${reading}/note/1`)).status).toBe(404)
      expect((await fetch(`${reading}/note/1`, { headers: { cookie } })).status).toBe(200)
    } finally {
      await replica?.resume()
    }
  })

  it('goes over HTTP/2 as well, and from there to HTTP/1.1 on the same port', async () => {
    const [replica] = sandbox.replicas
    const writing = await secureApplication()
    const reading = await secureApplication()
    expect((await request2(reading, '/note/0')).status).toBe(404)
    await replica?.pause()
    try {
      const posted = await request2(writing, '/note/10', { ':method': 'POST' })
      expect(posted).toMatchObject({ status: 200, cookies: [expect.stringMatching(/^maestra=[\w-]{27}; .*Secure$/)] })
      const [cookie = ''] = posted.cookies[0]?.split(';') ?? []
      expect((await request2(reading, '/note/10')).status).toBe(404)
      expect((await request2(reading, '/note/10', { cookie })).status).toBe(200)
      expect((await request1(reading, '/note/10', { cookie })).status).toBe(200)
    } finally {
      await replica?.resume()
    }
  })

  it('is set by no request that only reads, and is there as it came for the rest of such a request', async () => {
    const reading = await plainApplication()
    const reader = await readingPool(pools.at(-1))
    expect((await fetch(`${reading}/note/1`)).headers.getSetCookie()).toEqual([])
    const writing = await expressApplication()
    const [cookie = ''] = (await fetch(`${writing}/note/2`, { method: 'POST' })).headers.getSetCookie()
    const answer = await fetch(`${reading}/note/2`, { headers: { cookie } })
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([200, []])
    const [token = ''] = cookie.replace('maestra=', '').split(';')
    expect(reader.withToken(token, (session) => session.token())).toBe(token)
    expect(reader.session((session) => session.token())).toBeUndefined()
  })

  it('that names more than was ever written is replaced by what there is', async () => {
    const pool = await readingPool(openPool())
    const token = await pool.session(async (session) => {
      await pool.query('insert into note values (3)')
      return session.token()
    })
    const ahead = Buffer.from(token ?? '', 'base64url')
    ahead.writeUInt32BE(0xff, 12)
    const invalid = ahead.toString('base64url')
    await pool.withToken(invalid, async (session) => {
      expect(session.token()).toBe(invalid)
      await pool.query('select id from note')
      expect(session.token()).not.toBe(invalid)
    })
  })

  it('that somebody has made up is told and ignored', async () => {
    const told: unknown[] = []
    const reading = await plainApplication()
    pools.at(-1)?.on('token-invalid', (event) => told.push(event.why))
    const { status } = await fetch(`${reading}/note/1`, { headers: { cookie: 'maestra=nonsense' } })
    expect(status).toBe(200)
    expect(told).toEqual(['the token has 8 characters, not 27'])
  })
})
