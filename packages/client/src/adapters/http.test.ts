import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakePool } from './fake-pool.fixture.js'
import { type CausalityOptions, causality } from './http.js'

let pool: FakePool
let server: Server | undefined

beforeEach(() => {
  pool = new FakePool()
})

afterEach(async () => {
  const running = server
  server = undefined
  running?.closeAllConnections()
  await new Promise((closed) => (running === undefined ? closed(undefined) : running.close(closed)))
})

async function listening(listener: RequestListener): Promise<string> {
  const started = createServer(listener)
  server = started
  await new Promise<void>((listens) => started.listen(0, '127.0.0.1', listens))
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`
}

type Answer = (response: ServerResponse, request: IncomingMessage) => unknown

/** A plain node:http server. */
function plain(answer: Answer, options?: CausalityOptions): Promise<string> {
  const carry = causality(pool, options)
  return listening((request, response) => {
    void carry(request, response, async () => answer(response, request))
  })
}

async function get(url: string, cookie?: string): Promise<{ cookies: string[]; text: string; status: number }> {
  const response = await fetch(url, cookie === undefined ? {} : { headers: { cookie } })
  return { cookies: response.headers.getSetCookie(), text: await response.text(), status: response.status }
}

const attributes = 'Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure'

describe('causality, on a plain server', () => {
  it('T1: sets the token of what was written in a cookie that only the browser sees', async () => {
    const url = await plain(async (response) => {
      await pool.write('order')
      response.end('done')
    })
    expect(await get(url)).toEqual({ cookies: [`maestra=after-order; ${attributes}`], text: 'done', status: 200 })
  })

  it('carries the token of the cookie into the session, and sets nothing when nothing was written', async () => {
    const url = await plain((response) => response.end(pool.floor()))
    expect(await get(url)).toMatchObject({ text: 'nothing', cookies: [] })
    expect(await get(url, 'a=b; maestra=after-order; c=d')).toMatchObject({ text: 'after-order', cookies: [] })
    expect(pool.events).toEqual([])
  })

  it('sets the token of the last of several writes, once', async () => {
    const url = await plain(async (response) => {
      await pool.write('one')
      await Promise.all([pool.write('two'), pool.write('three')])
      response.end(pool.floor())
    })
    expect(await get(url, 'maestra=after-order')).toMatchObject({
      text: 'after-three',
      cookies: [`maestra=after-three; ${attributes}`],
    })
    expect(pool.events).toEqual([])
  })

  it('ignores a cookie that is not valid, and goes on without it', async () => {
    const url = await plain((response) => response.end(pool.floor()))
    expect(await get(url, 'maestra=forged')).toMatchObject({ text: 'nothing', cookies: [], status: 200 })
    expect(pool.events).toEqual([{ event: 'token-invalid', detail: 'forged' }])
  })

  it.each<[string, Answer]>([
    ['setHeader', (response) => response.setHeader('Set-Cookie', 'a=b').end()],
    ['appendHeader', (response) => response.appendHeader('set-cookie', 'a=b').end()],
    ['writeHead with an object', (response) => response.writeHead(200, { 'set-cookie': 'a=b' }).end()],
    ['writeHead with a list', (response) => response.writeHead(200, { 'Set-Cookie': ['a=b'] }).end()],
    ['writeHead with words', (response) => response.writeHead(200, 'fine', { 'Set-Cookie': 'a=b' }).end()],
    ['writeHead with an array', (response) => response.writeHead(200, ['X-One', '1', 'Set-Cookie', 'a=b']).end()],
    [
      'setHeader, and writeHead with others',
      (response) => response.setHeader('Set-Cookie', 'a=b').writeHead(200, { 'X-One': '1' }).end(),
    ],
    ['write', (response) => response.setHeader('Set-Cookie', 'a=b').write('x', () => response.end())],
    [
      'flushHeaders',
      (response) => {
        response.setHeader('Set-Cookie', 'a=b').flushHeaders()
        response.end()
      },
    ],
  ])('keeps the cookies of others that come by %s', async (_, answer) => {
    const url = await plain(async (response, request) => {
      await pool.write('order')
      answer(response, request)
    })
    expect((await get(url)).cookies).toEqual(['a=b', `maestra=after-order; ${attributes}`])
  })

  it('keeps status, words and headers of writeHead', async () => {
    const url = await plain(async (response) => {
      await pool.write('order')
      response.writeHead(201, 'made', { 'X-One': '1' }).end()
    })
    const response = await fetch(url)
    expect([response.status, response.statusText, response.headers.get('x-one')]).toEqual([201, 'made', '1'])
    expect(response.headers.getSetCookie()).toHaveLength(1)
  })

  it('W7: tells of a write that is done when the headers have left', async () => {
    const url = await plain(async (response) => {
      response.write('early ')
      await pool.write('order')
      response.end('late')
    })
    expect(await get(`${url}/orders?secret=1`)).toMatchObject({ text: 'early late', cookies: [] })
    expect(pool.events).toEqual([{ event: 'token-not-sent', detail: { method: 'GET', path: '/orders' } }])
  })

  it('has a cookie of another name, for plain http and for an hour, when asked to', async () => {
    const options = { cookie: 'seen', secure: 'auto', maxAgeSeconds: 3600 } as const
    const url = await plain(async (response) => {
      await pool.write('order')
      response.end(pool.floor())
    }, options)
    const expected = 'seen=after-order; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax'
    expect((await get(url, 'maestra=after-other')).cookies).toEqual([expected])
  })

  it('keeps the sessions of requests at the same time apart', async () => {
    const url = await plain(async (response, request) => {
      await pool.write(request.url?.slice(1) ?? '')
      response.end(pool.floor())
    })
    const names = Array.from({ length: 20 }, (_, n) => `order-${n}`)
    const answers = await Promise.all(names.map((name) => get(`${url}/${name}`)))
    expect(answers.map(({ text }) => text)).toEqual(names.map((name) => `after-${name}`))
    expect(answers.flatMap(({ cookies }) => cookies)).toEqual(
      names.map((name) => `maestra=after-${name}; ${attributes}`),
    )
  })
})

describe('causality, in Express', () => {
  it('is one line, and a POST here is seen by a GET there', async () => {
    const app = express()
    app.use(causality(pool))
    app.post('/orders', express.json(), async (request, response) => {
      await pool.write(request.body.name)
      response.cookie('a', 'b').status(201).json({ made: true })
    })
    app.get('/orders', (_, response) => {
      response.send(pool.floor())
    })
    const url = await listening(app)
    const body = JSON.stringify({ name: 'order' })
    const headers = { 'Content-Type': 'application/json' }
    const made = await fetch(`${url}/orders`, { method: 'POST', headers, body })
    expect([made.status, made.headers.getSetCookie()]).toEqual([
      201,
      ['a=b; Path=/', `maestra=after-order; ${attributes}`],
    ])
    const cookie = made.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ')
    expect(await get(`${url}/orders`, cookie)).toMatchObject({ text: 'after-order', cookies: [] })
  })

  it('sets the cookie of a request that wrote and failed', async () => {
    const app = express()
    app.use(causality(pool))
    app.get('/', async () => {
      await pool.write('order')
      throw Object.assign(new Error('no stock'), { status: 409 })
    })
    app.use(((error, _request, response, _next) => {
      response.status(error.status).send(error.message)
    }) satisfies express.ErrorRequestHandler)
    const url = await listening(app)
    expect(await get(url)).toEqual({
      status: 409,
      text: 'no stock',
      cookies: [`maestra=after-order; ${attributes}`],
    })
  })

  it('trusts Express in what is secure', async () => {
    const app = express()
    app.set('trust proxy', true)
    app.use(causality(pool, { secure: 'auto' }))
    app.get('/', async (_, response) => {
      await pool.write('order')
      response.end()
    })
    const url = await listening(app)
    const response = await fetch(url, { headers: { 'X-Forwarded-Proto': 'https' } })
    expect(response.headers.getSetCookie()).toEqual([`maestra=after-order; ${attributes}`])
    expect((await get(url)).cookies[0]).not.toContain('Secure')
  })
})
