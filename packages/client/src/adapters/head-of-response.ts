import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'

export type AnyResponse = ServerResponse | Http2ServerResponse

type HeadersOfHead = OutgoingHttpHeaders | OutgoingHttpHeader[]

/** Asks for one more `Set-Cookie` header at the last moment: when the head of the response is about to leave. */
export function beforeHead(response: AnyResponse, cookie: () => string | undefined): void {
  const original = response.writeHead
  // Node.js calls it for whoever did not: end(), write() and flushHeaders() begin with it.
  const writeHead = (status: number, ...rest: unknown[]): AnyResponse => {
    response.writeHead = original
    const added = response.headersSent ? undefined : cookie()
    const headers = rest.at(-1)
    if (added === undefined) return Reflect.apply(original, response, [status, ...rest])
    // What is handed to writeHead replaces headers that were set before: there is the place to add to.
    if (isHeaders(headers) && hasCookie(headers)) {
      return Reflect.apply(original, response, [status, ...rest.slice(0, -1), withCookie(headers, added)])
    }
    response.appendHeader('Set-Cookie', added)
    return Reflect.apply(original, response, [status, ...rest])
  }
  response.writeHead = writeHead as typeof original
}

function isHeaders(value: unknown): value is HeadersOfHead {
  return typeof value === 'object' && value !== null
}

function isSetCookie(name: unknown): boolean {
  return String(name).toLowerCase() === 'set-cookie'
}

/** An array holds names and values in turn, or pairs of them. */
function hasCookie(headers: HeadersOfHead): boolean {
  if (!Array.isArray(headers)) return Object.keys(headers).some(isSetCookie)
  return headers.some((each, at) => (Array.isArray(each) ? isSetCookie(each[0]) : at % 2 === 0 && isSetCookie(each)))
}

function withCookie(headers: HeadersOfHead, cookie: string): HeadersOfHead {
  if (Array.isArray(headers)) {
    return Array.isArray(headers[0]) ? [...headers, ['Set-Cookie', cookie]] : [...headers, 'Set-Cookie', cookie]
  }
  const name = Object.keys(headers).find(isSetCookie) as string
  const before = headers[name]
  const values = Array.isArray(before) ? before : before === undefined ? [] : [String(before)]
  return { ...headers, [name]: [...values, cookie] }
}
