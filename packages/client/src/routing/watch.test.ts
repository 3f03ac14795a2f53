import { afterEach, describe, expect, it } from 'vitest'
import { Deadline, waitUntil } from '../base/deadline.js'
import { Watch, type WatchOptions } from './watch.js'
import type { WatchConnection } from './watch-connection.js'

const primary = {
  system_identifier: '7001',
  started_at: '10:00',
  backend_pid: '1',
  version_number: '180004',
  checkpoint_timeline: '1',
  recovery_timeline: '0',
  wal_block_size: '8192',
  wal_segment_size: '16777216',
  read_only_by: null,
  in_recovery: 'false',
  inserted: '0/5000',
  flushed: '0/5000',
  wal_file: '000000010000000000000001',
}

/** A server that is only its answers. */
class FakeServer {
  answer: () => Promise<readonly Record<string, unknown>[]> = () => Promise.resolve([primary])
  readonly connections: FakeConnection[] = []
  refuses = false

  connect = (): Promise<WatchConnection> => {
    if (this.refuses) return Promise.reject(new Error('ECONNREFUSED'))
    const connection = new FakeConnection(this)
    this.connections.push(connection)
    return Promise.resolve(connection)
  }
}

class FakeConnection implements WatchConnection {
  readonly processId = 1
  closed = false
  breaks: (error: Error) => void = () => {}
  readonly #server: FakeServer

  constructor(server: FakeServer) {
    this.#server = server
  }

  query() {
    return this.#server.answer()
  }

  close() {
    this.closed = true
  }

  onBreak(listener: (error: Error) => void) {
    this.breaks = listener
  }
}

const running: Watch[] = []
afterEach(() => {
  for (const watch of running.splice(0)) watch.stop()
})

function watchOf(server: FakeServer, options: Partial<WatchOptions> = {}): Watch {
  const watch = new Watch({ addresses: ['db1:5432'], connect: server.connect, random: () => 0.5, ...options })
  running.push(watch)
  watch.start()
  return watch
}

async function until(awaited: string, isTrue: () => boolean): Promise<void> {
  const look = () => (isTrue() ? { done: true as const, value: undefined } : { done: false as const, seen: 'not yet' })
  await waitUntil(look, { awaited, deadline: Deadline.after(10_000), everyMs: 1 })
}

const known = (watch: Watch) => until('a primary', () => watch.topology.primaryState === 'known')

describe('the watch', () => {
  it('gives numbers by which it can be told what was open before what was seen (R2, W3)', async () => {
    const server = new FakeServer()
    const watch = watchOf(server)
    await known(watch)
    const first = await watch.progress('db1:5432')
    const second = await watch.ask('db1:5432', 'select 1')
    expect(first.connection).toBe(watch.topology.primary?.connection)
    expect([first.connection < first.sent, first.sent < first.received, first.received < second.sent]).toEqual([
      true,
      true,
      true,
    ])
    expect(watch.topology.primary?.written).toMatchObject({ at: first.sent, before: first.received })
  })

  it('destroys a connection on which nothing is answered, also when another one than its probe notices', async () => {
    const server = new FakeServer()
    const watch = watchOf(server, { deadlineMs: 40, intervalMs: 3_600_000, primaryFreshMs: 3_600_000 })
    await known(watch)
    server.answer = () => new Promise(() => {})
    await expect(watch.ask('db1:5432', 'select 1')).rejects.toMatchObject({ code: 'deadline-passed' })
    expect(server.connections[0]?.closed).toBe(true)
    expect(watch.topology.nodes.get('db1:5432')).toMatchObject({ answers: false, ejected: { reason: 'hung' } })
  })

  it('opens another connection when one breaks, and asks at once', async () => {
    const server = new FakeServer()
    const watch = watchOf(server, { intervalMs: 3_600_000, primaryFreshMs: 3_600_000 })
    await known(watch)
    const connection = watch.topology.primary?.connection ?? 0
    server.connections[0]?.breaks(new Error('gone'))
    expect(watch.topology.primary?.written).toBeUndefined()
    await until('another connection', () => (watch.topology.primary?.connection ?? 0) > connection)
    expect(server.connections).toHaveLength(2)
  })

  it('watches by another connection when it is told that the one there is leads elsewhere', async () => {
    const server = new FakeServer()
    const watch = watchOf(server, { intervalMs: 3_600_000, primaryFreshMs: 3_600_000 })
    await known(watch)
    const connection = watch.topology.primary?.connection ?? 0
    watch.renew('db1:5432')
    await until('another connection', () => (watch.topology.primary?.connection ?? 0) > connection)
    expect(server.connections.map(({ closed }) => closed)).toEqual([true, false])
    // What is known of the server stands until the new one has answered.
    expect(watch.topology.primaryState).toBe('known')
    watch.probe()
    expect(server.connections).toHaveLength(2)
  })

  it('closes a connection that comes after its deadline', async () => {
    const server = new FakeServer()
    let connected: ((connection: WatchConnection) => void) | undefined
    const late = new FakeConnection(server)
    let aborted = false
    const watch = watchOf(server, {
      deadlineMs: 20,
      connect: (_address, signal) => {
        signal.addEventListener('abort', () => {
          aborted = true
        })
        return new Promise((resolve) => {
          connected ??= resolve
        })
      },
    })
    await until('the deadline', () => watch.topology.nodes.get('db1:5432')?.ejected !== undefined)
    expect(aborted).toBe(true)
    connected?.(late)
    await until('the late one to be closed', () => late.closed)
  })

  it('asks at once when a statement of the pool says so', async () => {
    const server = new FakeServer()
    const watch = watchOf(server, { intervalMs: 3_600_000, primaryFreshMs: 3_600_000 })
    await known(watch)
    let asked = 0
    server.answer = () => {
      asked += 1
      return Promise.resolve([primary])
    }
    watch.report({ address: 'db1:5432', code: '23505' })
    expect(asked).toBe(0)
    watch.report({ address: 'db1:5432', code: '57P01' })
    await until('a probe', () => asked > 0)
  })

  it('asks no more often than it has to, however many statements fail', async () => {
    const server = new FakeServer()
    const watch = watchOf(server, { intervalMs: 3_600_000, primaryFreshMs: 3_600_000 })
    await known(watch)
    let asked = 0
    server.answer = () => {
      asked += 1
      // Each answer brings the next evidence.
      watch.report({ address: 'db1:5432', code: 'ECONNREFUSED' })
      return Promise.resolve([primary])
    }
    const startedMs = performance.now()
    watch.report({ address: 'db1:5432', code: 'ECONNREFUSED' })
    await until('five probes', () => asked >= 5)
    expect(performance.now() - startedMs).toBeGreaterThan(3 * 20)
  })

  it('ejects a server whose answer is none, with what is wrong about it', async () => {
    const server = new FakeServer()
    server.answer = () => Promise.resolve([{ ...primary, inserted: 'x' }])
    const watch = watchOf(server)
    await until('an ejection', () => watch.topology.nodes.get('db1:5432')?.ejected !== undefined)
    expect(watch.topology.nodes.get('db1:5432')?.lastError).toBe('"x" is not an LSN')
  })

  it('says nothing after it was stopped, and closes what it opened', async () => {
    const server = new FakeServer()
    const watch = watchOf(server)
    await known(watch)
    let heard = 0
    watch.onChange(() => {
      heard += 1
    })
    watch.stop()
    expect(server.connections[0]?.closed).toBe(true)
    server.connections[0]?.breaks(new Error('gone'))
    expect(heard).toBe(0)
  })

  it('refuses a question to an address that is not its own', () => {
    expect(() => watchOf(new FakeServer()).ask('db9:5432', 'select 1')).toThrow('db9:5432 is not watched')
  })
})
