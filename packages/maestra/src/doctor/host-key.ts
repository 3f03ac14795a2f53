/** One text for the ways of writing one address. `localhost` is taken for 127.0.0.1, which it is nearly everywhere. */
export function hostKey(host: string): string {
  const lower = host.toLowerCase()
  if (lower === 'localhost') return '127.0.0.1'
  return lower.includes(':') ? new URL(`http://[${lower}]`).hostname : lower
}

export function isLoopback(host: string): boolean {
  const key = hostKey(host)
  return key === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(key)
}
