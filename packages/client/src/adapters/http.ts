import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { CausalityPool, CausalitySession } from './causality-pool.js'
import { cookieIn, cookieText } from './cookie.js'
import { type AnyResponse, beforeHead } from './head-of-response.js'

/** Of node:http, and of the same API in node:http2. */
type AnyRequest = IncomingMessage | Http2ServerRequest

export type CausalityOptions = {
  /** The name of the cookie; `maestra` unless said. */
  readonly cookie?: string
  /**
   * Whether the cookie goes over TLS only: true unless said. `auto` asks the connection (and Express's `req.secure`), for plain
   * http in development; behind a proxy that ends TLS it needs Express's `trust proxy`.
   */
  readonly secure?: boolean | 'auto'
  /** Seconds after which a browser forgets what it wrote; a day unless said. Replicas that lag longer may not have it yet. */
  readonly maxAgeSeconds?: number
}

/**
 * Middleware for Express and for plain node:http and node:http2: what a request writes, later requests of the same browser see. It runs
 * each request in a session of its own, which sees what the token in the cookie says, and sets the cookie when the request has
 * written. A cookie that is not valid is ignored, with an event; so is a write that is done when the headers have left:
 * `token-not-sent`.
 *
 * `app.use(causality(pool))`, or `createServer((req, res) => carry(req, res, () => answer(req, res)))`.
 * @public
 */
export function causality(
  pool: CausalityPool,
  { cookie = 'maestra', secure = true, maxAgeSeconds = 86_400 }: CausalityOptions = {},
): <T>(request: AnyRequest, response: AnyResponse, next: () => T) => T {
  return (request, response, next) => {
    const received = cookieIn(request.headers.cookie, cookie)
    const run = (session: CausalitySession): ReturnType<typeof next> => {
      let sent = received
      beforeHead(response, () => {
        const token = session.token()
        if (token === undefined || token === sent) return undefined
        sent = token
        return cookieText(cookie, token, { maxAgeSeconds, secure: secure === 'auto' ? isSecure(request) : secure })
      })
      session.onToken(() => {
        if (!response.headersSent || session.token() === sent) return
        pool.emit('token-not-sent', { method: request.method, path: request.url?.split('?')[0] })
      })
      return next()
    }
    return received === undefined ? pool.session(run) : pool.withToken(received, run)
  }
}

function isSecure(request: AnyRequest & { readonly secure?: unknown }): boolean {
  return request.secure === true || ('encrypted' in request.socket && request.socket.encrypted === true)
}
