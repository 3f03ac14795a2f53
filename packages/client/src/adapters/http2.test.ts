import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakePool } from './fake-pool.fixture.js'
import { type CausalityOptions, causality } from './http.js'

let pool: FakePool
let server: Http2Server | undefined
let browser: ClientHttp2Session | undefined

beforeEach(() => {
  pool = new FakePool()
})

afterEach(async () => {
  const running = server
  server = undefined
  browser?.destroy()
  await new Promise((closed) => (running === undefined ? closed(undefined) : running.close(closed)))
})

type Answer = (response: Http2ServerResponse, request: Http2ServerRequest) => unknown

/** A server of HTTP/2 without TLS, and one session of a client with it. */
async function plain(answer: Answer, options?: CausalityOptions): Promise<ClientHttp2Session> {
  const carry = causality(pool, options)
  const started = createServer((request, response) => {
    void carry(request, response, async () => answer(response, request))
  })
  server = started
  await new Promise<void>((listens) => started.listen(0, '127.0.0.1', listens))
  browser = connect(`http://127.0.0.1:${(started.address() as AddressInfo).port}`)
  return browser
}

type Answered = { readonly status: number | undefined; readonly cookies: readonly string[]; readonly text: string }

async function get(session: ClientHttp2Session, headers: Record<string, string | string[]> = {}): Promise<Answered> {
  const stream = session.request({ ':path': '/', ...headers })
  let head: (IncomingHttpHeaders & IncomingHttpStatusHeader) | undefined
  stream.on('response', (received) => {
    head = received
  })
  stream.setEncoding('utf8')
  let text = ''
  for await (const piece of stream) text += piece
  return { status: head?.[':status'], cookies: head?.['set-cookie'] ?? [], text }
}

const attributes = 'Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure'

describe('causality, over HTTP/2', () => {
  it('sets the token of what was written, and carries that of a cookie, in one field or in several', async () => {
    const session = await plain(async (response, { method }) => {
      if (method === 'POST') await pool.write('order')
      response.end(pool.floor())
    })
    const cookies = [`maestra=after-order; ${attributes}`]
    expect(await get(session, { ':method': 'POST' })).toEqual({ status: 200, cookies, text: 'after-order' })
    const seen = { status: 200, cookies: [], text: 'after-order' }
    expect(await get(session, { cookie: 'a=b; maestra=after-order' })).toEqual(seen)
    expect(await get(session, { cookie: ['a=b', 'maestra=after-order'] })).toEqual(seen)
    expect(await get(session)).toEqual({ ...seen, text: 'nothing' })
    expect(pool.events).toEqual([])
  })

  it.each<[string, Answer]>([
    [
      'setHeader',
      (response) => {
        response.setHeader('Set-Cookie', 'a=b')
        response.end()
      },
    ],
    [
      'appendHeader',
      (response) => {
        response.appendHeader('set-cookie', 'a=b')
        response.end()
      },
    ],
    ['writeHead with an object', (response) => response.writeHead(200, { 'set-cookie': 'a=b' }).end()],
    ['writeHead with a list', (response) => response.writeHead(200, { 'Set-Cookie': ['a=b'] }).end()],
    [
      'writeHead with an array',
      (response) => response.writeHead(200, ['X-One', '1', 'Set-Cookie', 'a=b'] as never).end(),
    ],
    [
      'setHeader, and writeHead with others',
      (response) => {
        response.setHeader('Set-Cookie', 'a=b')
        response.writeHead(200, { 'X-One': '1' }).end()
      },
    ],
    [
      'write',
      (response) => {
        response.setHeader('Set-Cookie', 'a=b')
        response.write('x')
        response.end()
      },
    ],
    [
      'flushHeaders',
      (response) => {
        response.setHeader('Set-Cookie', 'a=b')
        // The types of Node.js lack it.
        ;(response as unknown as { flushHeaders(): void }).flushHeaders()
        response.end()
      },
    ],
  ])('keeps the cookies of others that come by %s', async (_, answer) => {
    const session = await plain(async (response, request) => {
      await pool.write('order')
      answer(response, request)
    })
    expect((await get(session)).cookies).toEqual(['a=b', `maestra=after-order; ${attributes}`])
  })

  it('W7: tells of a write that is done when the headers have left', async () => {
    const session = await plain(async (response) => {
      response.write('early ')
      await pool.write('order')
      response.end('late')
    })
    const answer = await get(session, { ':path': '/orders?secret=1' })
    expect(answer).toEqual({ status: 200, cookies: [], text: 'early late' })
    expect(pool.events).toEqual([{ event: 'token-not-sent', detail: { method: 'GET', path: '/orders' } }])
  })

  it('keeps the sessions of requests at the same time on one connection apart', async () => {
    const session = await plain(async (response, request) => {
      await pool.write(request.url.slice(1))
      response.end(pool.floor())
    })
    const names = Array.from({ length: 20 }, (_, n) => `order-${n}`)
    const answers = await Promise.all(names.map((name) => get(session, { ':path': `/${name}` })))
    expect(answers).toEqual(
      names.map((name) => ({ status: 200, cookies: [`maestra=after-${name}; ${attributes}`], text: `after-${name}` })),
    )
  })

  it('sees whether a connection is secure', async () => {
    const session = await plain(
      async (response) => {
        await pool.write('order')
        response.end()
      },
      { secure: 'auto' },
    )
    expect((await get(session)).cookies).toEqual(['maestra=after-order; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax'])
  })
})
