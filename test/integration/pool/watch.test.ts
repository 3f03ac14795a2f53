import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { type Sandbox, type SandboxNode, startSandbox } from 'maestra'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { judge } from '../../../packages/client/src/routing/topology/histories.js'
import type { LogPosition } from '../../../packages/client/src/routing/topology/log-position.js'
import { positionOn, satisfies } from '../../../packages/client/src/routing/topology/satisfies.js'
import type { NodeView } from '../../../packages/client/src/routing/topology/topology.js'
import type { TopologyEvent } from '../../../packages/client/src/routing/topology/topology-event.js'
import { Watch, type WatchOptions } from '../../../packages/client/src/routing/watch.js'
import { sql } from '../../harness/sql.js'
import { connectAs } from '../../harness/watch-connection.js'

/** Of this file; what happens to it goes on from test to test. */
let shop: Sandbox
const [plain, monitor] = ['app', 'mon']

beforeAll(async () => {
  shop = await startSandbox({ replicas: 2 })
  await sql(shop.primary.url, `create role app login password 'app'`)
  await sql(shop.primary.url, `create role mon login password 'mon' in role pg_monitor`)
  await sql(shop.primary.url, `create role reader login password 'reader'`)
  await sql(shop.primary.url, `alter role reader set default_transaction_read_only = on`)
  await sql(shop.primary.url, 'create table t (i int)')
})

afterAll(() => shop?.stop())

/** A watch of all nodes, and what it said. */
class Watched {
  readonly watch: Watch
  readonly events: TopologyEvent[] = []

  constructor(role: string, options: Partial<WatchOptions> = {}) {
    this.watch = new Watch({
      addresses: shop.nodes.map(addressOf).reverse(),
      connect: connectAs(role, role),
      ...options,
    })
    this.watch.onEvent((event) => this.events.push(event))
    this.watch.start()
    running.push(this.watch)
  }

  view({ host, port }: SandboxNode): NodeView {
    const view = this.watch.topology.nodes.get(`${host}:${port}`)
    if (view === undefined) throw new Error('unreachable')
    return view
  }

  satisfies(node: SandboxNode, position: LogPosition) {
    return satisfies(this.view(node), position, this.watch.topology, performance.now())
  }

  async until(awaited: string, isTrue: () => boolean): Promise<void> {
    const shown = () => {
      const { nodes, primaryState } = this.watch.topology
      return `${primaryState}: ${[...nodes.values()].map(({ address, role, lastError = '' }) => `${address} ${role} ${lastError}`).join(', ')}; ${JSON.stringify(this.events)}`
    }
    const look = () => (isTrue() ? { done: true as const, value: undefined } : { done: false as const, seen: shown() })
    await waitUntil(look, { awaited, deadline: Deadline.after(10_000) })
  }

  async untilSettled(): Promise<void> {
    const unseen = () => [...this.watch.topology.nodes.values()].some(({ role }) => role === 'unknown')
    await this.until('a primary and no unknown node', () => this.watch.topology.primaryState === 'known' && !unseen())
    this.events.length = 0
  }

  untilEvent(kind: TopologyEvent['kind'], address?: string): Promise<void> {
    return this.until(`${kind} of ${address ?? 'any'}`, () =>
      this.events.some(
        (event) => event.kind === kind && (address === undefined || ('address' in event && event.address === address)),
      ),
    )
  }

  /** Writes, and reads behind that commit how far the primary has come. */
  async write(): Promise<LogPosition> {
    const { primary } = this.watch.topology
    if (primary === undefined) throw new Error('no primary')
    await sql(nodeAt(primary.address).url, 'insert into t values (1)')
    const { progress } = await this.watch.progress(primary.address)
    const position = progress.inRecovery ? undefined : positionOn(primary, progress.inserted)
    if (position === undefined) throw new Error('no position')
    return position
  }
}

const running: Watch[] = []
afterEach(() => {
  for (const watch of running.splice(0)) watch.stop()
})

function addressOf({ host, port }: SandboxNode): string {
  return `${host}:${port}`
}

function nodeAt(address: string): SandboxNode {
  const node = shop.nodes.find((each) => addressOf(each) === address)
  if (node === undefined) throw new Error(`no node at ${address}`)
  return node
}

describe.each([plain, monitor])('the watch of a cluster, as %s', (role) => {
  it('finds the primary and its replicas behind addresses in any order', async () => {
    const watched = new Watched(role)
    await watched.untilSettled()
    expect(watched.watch.topology.primary?.address).toBe(addressOf(shop.primary))
    for (const replica of shop.replicas) {
      expect(watched.view(replica)).toMatchObject({ role: 'replica', answers: true, receiverSeen: role === monitor })
    }
  })

  it('says of each replica when it has a commit (T3)', async () => {
    const watched = new Watched(role)
    await watched.untilSettled()
    const [paused, other] = shop.replicas as [SandboxNode, SandboxNode]
    await paused.pause()
    const position = await watched.write()
    await watched.until('one of two to have it', () => watched.satisfies(other, position) === 'yes')
    await watched.watch.progress(addressOf(paused))
    expect(watched.satisfies(paused, position)).toBe('not-yet')
    expect(watched.view(paused).lagBytes).toBeGreaterThan(0)
    await paused.resume()
    await watched.until('both to have it', () => watched.satisfies(paused, position) === 'yes')
    expect(watched.view(paused)).toMatchObject({ lagBytes: 0, lagMs: 0 })
  })

  it('ejects a replica that hangs, and takes it back when it answers', async () => {
    const watched = new Watched(role, { deadlineMs: 300 })
    await watched.untilSettled()
    const [frozen] = shop.replicas as [SandboxNode]
    await frozen.freeze()
    await watched.untilEvent('node-ejected', addressOf(frozen))
    expect(watched.view(frozen)).toMatchObject({ answers: false, ejected: { reason: 'hung' }, connection: 0 })
    expect(watched.watch.topology.primaryState).toBe('known')
    await frozen.thaw()
    await watched.untilEvent('node-back', addressOf(frozen))
    expect(watched.view(frozen)).toMatchObject({ role: 'replica', answers: true })
  })

  it('forgets positions with the connection that saw them: a crash restart keeps the start time (R2)', async () => {
    const watched = new Watched(role)
    await watched.untilSettled()
    const [replica] = shop.replicas as [SandboxNode]
    const before = watched.view(replica)
    const forgotten = new Promise<NodeView>((resolve) => {
      const end = watched.watch.onChange((topology) => {
        const view = topology.nodes.get(addressOf(replica))
        if (view?.connection !== 0) return
        end()
        resolve(view)
      })
    })
    await crash(replica)
    expect(await forgotten).not.toHaveProperty('replayed')
    await watched.until('the replica to answer again', () => watched.view(replica).connection > before.connection)
    const after = watched.view(replica)
    expect(after.startedAt).toBe(before.startedAt)
    // What was seen before is older than any connection that is open by now, and says nothing of it.
    expect(before.replayed?.at).toBeLessThan(after.connection)
    expect(after.replayed?.at).toBeGreaterThan(after.connection)
  })

  it('says that there is no primary while it is frozen, and that it is back (T4)', async () => {
    const watched = new Watched(role)
    await watched.untilSettled()
    const position = await watched.write()
    for (const replica of shop.replicas) {
      await watched.until('all replicas to have it', () => watched.satisfies(replica, position) === 'yes')
    }
    await shop.primary.freeze()
    await watched.untilEvent('primary-away', addressOf(shop.primary))
    expect(watched.watch.topology.primary).toBeUndefined()
    for (const replica of shop.replicas) expect(watched.satisfies(replica, position)).toBe('yes')
    await shop.primary.thaw()
    await watched.untilEvent('primary-back', addressOf(shop.primary))
  })
})

/** Kills a backend, which has the server restart without a new start time. */
async function crash(node: SandboxNode): Promise<void> {
  const connection = await connectAs('app', 'app')(addressOf(node), new AbortController().signal)
  process.kill(connection.processId ?? 0, 'SIGKILL')
}

it('takes a primary for one that takes writes when only the role of the watch is read-only (T6)', async () => {
  const watched = new Watched('reader')
  await watched.untilSettled()
  expect(watched.watch.topology.primary?.address).toBe(addressOf(shop.primary))
  await sql(shop.primary.url, 'alter system set default_transaction_read_only = on')
  await sql(shop.primary.url, 'select pg_reload_conf()')
  const other = new Watched(plain)
  await other.untilEvent('primary-away')
  await resetReadOnly(shop.primary)
  await other.untilSettled()
})

async function resetReadOnly({ url }: SandboxNode): Promise<void> {
  const writable = `${url}?options=${encodeURIComponent('-c default_transaction_read_only=off')}`
  await sql(writable, 'alter system reset default_transaction_read_only')
  await sql(writable, 'select pg_reload_conf()')
}

it('never uses a server of another system behind an address', async () => {
  await using other = await startSandbox({ replicas: 0 })
  await sql(other.primary.url, `create role app login password 'app'`)
  const watched = new Watched(plain, { addresses: [addressOf(other.primary), ...shop.nodes.map(addressOf)] })
  await watched.until(
    'wrong-system',
    () => watched.watch.topology.nodes.get(addressOf(other.primary))?.role === 'wrong-system',
  )
  expect(watched.watch.topology.primary?.address).toBe(addressOf(shop.primary))
})

it('rejects what is asked of a node that hangs, and of a watch that is stopped', async () => {
  const watched = new Watched(plain, { deadlineMs: 300 })
  await watched.untilSettled()
  const [frozen] = shop.replicas as [SandboxNode]
  await frozen.freeze()
  await expect(watched.watch.ask(addressOf(frozen), 'select 1')).rejects.toMatchObject({ code: 'deadline-passed' })
  await frozen.thaw()
  watched.watch.stop()
  await expect(watched.watch.ask(addressOf(frozen), 'select 1')).rejects.toMatchObject({ code: 'interrupted' })
})

describe('a promotion', () => {
  let watches: readonly Watched[]
  let old: SandboxNode
  let follower: SandboxNode

  it('is noticed; what the new primary has is contained, what it lacks is lost (T5, T6, T7)', async () => {
    watches = [new Watched(plain), new Watched(monitor)]
    for (const watched of watches) await watched.untilSettled()
    old = shop.primary
    const [promoted, other] = shop.replicas as [SandboxNode, SandboxNode]
    follower = other
    const kept = await Promise.all(watches.map((watched) => watched.write()))
    for (const [index, watched] of watches.entries()) {
      const position = kept[index] as LogPosition
      await watched.until('both to have it', () =>
        shop.replicas.every((node) => watched.satisfies(node, position) === 'yes'),
      )
    }
    await promoted.cut()
    const lost = await Promise.all(watches.map((watched) => watched.write()))
    for (const [index, watched] of watches.entries()) {
      const position = lost[index] as LogPosition
      await watched.until('one to have it', () => watched.satisfies(other, position) === 'yes')
    }
    await old.kill()
    await shop.promote(promoted.name)
    for (const [index, watched] of watches.entries()) {
      await watched.untilEvent('primary-changed')
      const { topology } = watched.watch
      expect(topology.primary).toMatchObject({ address: addressOf(promoted), timeline: 2 })
      expect(judge(kept[index] as LogPosition, topology.histories)).toBe('contained')
      expect(judge(lost[index] as LogPosition, topology.histories)).toBe('lost')
      expect(watched.satisfies(other, lost[index] as LogPosition)).not.toBe('yes')
    }
    running.length = 0
  })

  it('is followed: seen at once with pg_monitor, and by a plain role after the next restart point (T3)', async () => {
    const [asPlain, asMonitor] = watches as [Watched, Watched]
    const [one, two] = [await asPlain.write(), await asMonitor.write()]
    await asMonitor.until('the follower to have it', () => asMonitor.satisfies(follower, two) === 'yes')
    await asPlain.watch.progress(addressOf(follower))
    await sql(shop.primary.url, 'checkpoint')
    await waitUntil(
      async () => {
        await sql(follower.url, 'checkpoint')
        const seen = asPlain.satisfies(follower, one)
        return seen === 'yes' ? { done: true, value: undefined } : { done: false, seen }
      },
      { awaited: 'the follower to be trusted', deadline: Deadline.after(10_000), everyMs: 200 },
    )
    running.length = 0
  })

  it('is not undone by the old primary, which is started again (T6)', async () => {
    await old.start()
    for (const watched of watches) {
      await watched.until(
        'the old one to be seen',
        () => watched.view(old).role === 'former-primary' && watched.view(old).answers,
      )
      expect(watched.watch.topology.primary?.address).toBe(addressOf(shop.primary))
    }
    const anew = new Watched(plain)
    await anew.untilSettled()
    expect(anew.watch.topology.primary?.address).toBe(addressOf(shop.primary))
    running.length = 0
  })

  it('is not taken for another one when the new primary recovers from a crash', async () => {
    const [watched] = watches as [Watched]
    const position = await watched.write()
    const { lineage } = watched.watch.topology.primary as NodeView
    await shop.primary.kill()
    await watched.untilEvent('primary-away', addressOf(shop.primary))
    await shop.primary.start()
    await watched.untilEvent('primary-back', addressOf(shop.primary))
    expect(watched.watch.topology.primary?.lineage).toBe(lineage)
    expect(judge(position, watched.watch.topology.histories)).toBe('contained')
    for (const each of watches) each.watch.stop()
  })
})
