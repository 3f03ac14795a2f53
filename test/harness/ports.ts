import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

/**
 * Below those that sandboxes take, and that systems give to outgoing connections; each worker has a range of its own.
 */
const firstPort = 10_000
const rangeSize = 1000
const given = new Set<number>()

/** Ports of the loopback address that nobody listens on, each given to one test only. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = []
  const from = firstPort + (Number(process.env['VITEST_POOL_ID'] ?? 0) % 10) * rangeSize
  while (ports.length < count) {
    const port = from + randomInt(rangeSize)
    if (given.has(port)) continue
    given.add(port)
    const listener = await listenOn(port).catch(() => undefined)
    if (listener === undefined) continue
    await listener[Symbol.asyncDispose]()
    ports.push(port)
  }
  return ports
}

/** Somebody who listens on a port until it is disposed of. */
export type Listener = AsyncDisposable

export async function listenOn(port: number): Promise<Listener> {
  const server: Server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) }
}
