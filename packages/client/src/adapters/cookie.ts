export type CookieOptions = {
  /** Seconds for which a browser keeps it. */
  readonly maxAgeSeconds: number
  readonly secure: boolean
}

/** The value of the first cookie of that name in a `Cookie` header. */
export function cookieIn(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=')
    if (at >= 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}

/** A `Set-Cookie` header that scripts do not see and that other sites' requests do not carry, but for links to here (T1). */
export function cookieText(name: string, value: string, { maxAgeSeconds, secure }: CookieOptions): string {
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
}
