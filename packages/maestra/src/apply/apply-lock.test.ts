import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { Host } from '../host/host.js'
import { exitOf, type HostUnderTest, hostBench, replaced } from '../host/host-bench.fixture.js'
import { hosts, inMemory } from '../host/hosts.fixture.js'
import { MemoryHost } from '../host/memory/memory-host.fixture.js'
import { type ApplyLock, acquireLock } from './apply-lock.js'

describe.each(hosts)('the lock of an apply on $name', ({ make }) => lockSuite(make))

/** An order in which the steps of all operations follow each other, another one for each number. */
function shuffled(order: number): () => Promise<void> {
  let state = order
  return async () => {
    // A linear congruential generator is enough to have everybody come first at some time.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    for (let turns = state >>> 30; turns >= 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('the lock of an apply, whoever is faster', () => {
  it.each(Array.from({ length: 100 }, (_, index) => index + 1))('has one holder in order %i', async (order) => {
    const { host, directory } = await inMemory(new MemoryHost({ turn: shuffled(order) }))
    const cluster = clusterIn(directory)
    const path = join(directory, 'data', 'a.maestra-lock')
    await host.files.makeDirectory(dirname(path), { mode: 0o755 })
    await host.files.write(path, await lockText(host, { startedAt: 'another-boot:1' }), { mode: 0o644 })
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => acquireLock(host, cluster)))
    expect(await held(locksOf(outcomes))).toHaveLength(1)
    expect(locksOf(outcomes)).toHaveLength(1)
    expect(await host.files.list(dirname(path))).toEqual(['a.maestra-lock'])
  })
})

function clusterIn(directory: string): DeclaredCluster {
  return {
    name: 'main',
    file: join(directory, 'maestra.yaml'),
    postgres: { version: 18, bin: undefined },
    nodes: [
      {
        name: 'a',
        host: '127.0.0.1',
        port: 5432,
        data: join(directory, 'data', 'a'),
        startsAs: 'primary',
        parameters: {},
      },
    ],
    replication: { role: 'replicator', authentication: 'scram-sha-256' },
    baseBackup: { with: 'maestra', checkpoint: 'fast', maxRateKb: undefined, verify: true },
    allow: [],
    passfile: join(directory, 'main.pgpass'),
  }
}

/** What a holder writes: this process, unless told otherwise. */
async function lockText(host: Host, but: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const identity = await host.processes.identify(process.pid)
  return `${JSON.stringify({
    pid: process.pid,
    startedAt: identity?.startedAt,
    account: 'somebody',
    machine: hostname(),
    since: '2026-01-02T03:04:05.000Z',
    ...but,
  })}\n`
}

async function held(locks: readonly ApplyLock[]): Promise<readonly ApplyLock[]> {
  const outcomes = await Promise.allSettled(locks.map((lock) => lock.assertHeld()))
  return locks.filter((_, index) => outcomes[index]?.status === 'fulfilled')
}

function locksOf(outcomes: readonly PromiseSettledResult<ApplyLock>[]): readonly ApplyLock[] {
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
}

function lockSuite(make: () => Promise<HostUnderTest>): void {
  const bench = hostBench(make)
  const { host, at, put } = bench
  let cluster: DeclaredCluster
  let path: string

  beforeEach(() => {
    cluster = clusterIn(at())
    path = at('data', 'a.maestra-lock')
  })

  const leave = async (text: string): Promise<void> => {
    await host.files.removeTree(at('data'))
    await host.files.makeDirectory(at('data'), { mode: 0o755 })
    await put(path, text)
  }

  /** The pid of a process that has ended. */
  const deadPid = async (): Promise<number> => {
    const ended = await bench.daemon('exit', ['0'])
    await exitOf(ended)
    return ended.pid
  }

  const inFolder = async () => await host.files.list(at('data'))

  const expectRefused = async (but: string): Promise<void> => {
    const before = await host.files.readText(path)
    await expect(acquireLock(host, cluster)).rejects.toMatchObject({
      code: 'apply-locked',
      message: `another apply works on this cluster: ${path} is held by ${but}`,
      hint: `wait until it has ended; if it is certainly gone: rm ${path}`,
    })
    expect(await host.files.readText(path)).toBe(before)
    expect(await inFolder()).toEqual(['a.maestra-lock'])
  }

  it('is held until it is given back, and leaves nothing then', async () => {
    const lock = await acquireLock(host, cluster)
    await lock.assertHeld()
    await lock.release()
    expect(await inFolder()).toEqual([])
    const again = await acquireLock(host, cluster)
    await again.assertHeld()
    await again.release()
  })

  it('is refused to a second one, also of the same process, and says who holds it and since when', async () => {
    const lock = await acquireLock(host, cluster)
    const { since } = JSON.parse((await host.files.readText(path)) ?? '') as { since: string }
    expect(Number.isNaN(Date.parse(since))).toBe(false)
    await expectRefused(`${host.processes.self().name}@${hostname()}, process ${process.pid}, since ${since}`)
    await lock.assertHeld()
    await lock.release()
  })

  it('is refused while another process holds it', async () => {
    const holder = await bench.daemon('wait')
    const startedAt = (await host.processes.identify(holder.pid))?.startedAt
    await leave(await lockText(host, { pid: holder.pid, startedAt }))
    await expectRefused(`somebody@${hostname()}, process ${holder.pid}, since 2026-01-02T03:04:05.000Z`)
  })

  it('is taken over from a process that has ended', async () => {
    await leave(await lockText(host, { pid: await deadPid() }))
    const lock = await acquireLock(host, cluster)
    await lock.assertHeld()
    expect(await inFolder()).toEqual(['a.maestra-lock'])
    await lock.release()
    expect(await inFolder()).toEqual([])
  })

  it('is taken over where another process has the pid by now', async () => {
    await leave(await lockText(host, { startedAt: 'another-boot:1' }))
    const lock = await acquireLock(host, cluster)
    await lock.assertHeld()
    await lock.release()
  })

  it('is never taken over from another machine, whose processes cannot be seen from here', async () => {
    const pid = await deadPid()
    await leave(await lockText(host, { pid, machine: 'elsewhere' }))
    await expectRefused(`somebody@elsewhere, process ${pid}, since 2026-01-02T03:04:05.000Z`)
  })

  it.each(['', 'rubbish', '{', 'null', '12', '[]', '{"pid": "1"}'])(
    'is not taken over when it holds %j, since that names nobody who could be gone',
    async (text) => {
      await leave(text)
      await expectRefused('somebody whose name it does not hold')
    },
  )

  it('is lost, and known to be, when somebody removed or replaced it', async () => {
    const lock = await acquireLock(host, cluster)
    await host.files.removeFile(path)
    await expect(lock.assertHeld()).rejects.toMatchObject({ code: 'lock-lost' })
    await put(path, await lockText(host, { machine: 'elsewhere' }))
    await expect(lock.assertHeld()).rejects.toMatchObject({ code: 'lock-lost' })
  })

  it('is given back by its holder alone', async () => {
    const lock = await acquireLock(host, cluster)
    const other = await lockText(host, { machine: 'elsewhere' })
    await put(path, other)
    await lock.release()
    expect(await host.files.readText(path)).toBe(other)
  })

  it('goes to one of twenty that find a stale one at the same moment', async () => {
    const stale = await lockText(host, { pid: await deadPid() })
    for (let round = 0; round < 20; round += 1) {
      await leave(stale)
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLock(host, cluster)))
      const locks = locksOf(outcomes)
      expect(locks, `round ${round}`).toHaveLength(1)
      expect(await held(locks)).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'apply-locked' })
      }
      expect(await inFolder()).toEqual(['a.maestra-lock'])
    }
  })

  it('stays with the one that was faster when a slow one found the same stale lock', async () => {
    await leave(await lockText(host, { pid: await deadPid() }))
    let fast: ApplyLock | undefined
    const slow = hostThatPauses(host, async () => {
      fast ??= await acquireLock(host, cluster)
    })
    await expect(acquireLock(slow, cluster)).rejects.toMatchObject({ code: 'apply-locked' })
    await fast?.assertHeld()
    await fast?.release()
    expect(await inFolder()).toEqual([])
  })

  it('goes to one of two also when the second comes just before the first removes the stale one', async () => {
    await leave(await lockText(host, { pid: await deadPid() }))
    const attempts: PromiseSettledResult<ApplyLock>[] = []
    let reads = 0
    const slow = hostThatReads(host, async (read) => {
      if (read !== path) return
      reads += 1
      // The first look finds it stale; the second is the last one before it is removed.
      if (reads === 2) attempts.push(...(await Promise.allSettled([acquireLock(host, cluster)])))
    })
    attempts.push(...(await Promise.allSettled([acquireLock(slow, cluster)])))
    expect(reads).toBeGreaterThanOrEqual(2)
    expect(attempts).toHaveLength(2)
    expect(locksOf(attempts)).toHaveLength(1)
    expect(await held(locksOf(attempts))).toHaveLength(1)
  })

  it('is never absent while it is held, so that a third one cannot slip in', async () => {
    await leave(await lockText(host, { pid: await deadPid() }))
    let fast: ApplyLock | undefined
    const seen: boolean[] = []
    const pausing = hostThatPauses(host, async () => {
      fast ??= await acquireLock(host, cluster)
    })
    const look = async (): Promise<void> => {
      if (fast !== undefined) seen.push((await inFolder())?.includes('a.maestra-lock') ?? false)
    }
    await expect(acquireLock(watched(pausing, look), cluster)).rejects.toMatchObject({ code: 'apply-locked' })
    expect(seen.length).toBeGreaterThan(0)
    expect(seen).not.toContain(false)
    await fast?.assertHeld()
  })

  it('is taken over also when one was killed in the middle of taking it over', async () => {
    const stale = await lockText(host, { pid: await deadPid() })
    await leave(stale)
    await put(`${path}.stale`, stale)
    const lock = await acquireLock(host, cluster)
    await lock.assertHeld()
    expect(await inFolder()).toEqual(['a.maestra-lock'])
  })
}

/** A host on which something happens between finding that a process is gone and doing something about it. */
function hostThatPauses(host: Host, meanwhile: () => Promise<void>): Host {
  const processes = replaced(host.processes, {
    identify: async (pid) => {
      const found = await host.processes.identify(pid)
      if (found === undefined) await meanwhile()
      return found
    },
  })
  return { name: host.name, files: host.files, network: host.network, processes }
}

/** A host on which something happens after a file was read and before anything is made of it. */
function hostThatReads(host: Host, meanwhile: (path: string) => Promise<void>): Host {
  const files = replaced(host.files, {
    readText: async (path) => {
      const text = await host.files.readText(path)
      await meanwhile(path)
      return text
    },
  })
  return { name: host.name, files, network: host.network, processes: host.processes }
}

/** A host that is looked at after every operation on files. */
function watched(on: Host, look: () => Promise<void>): Host {
  const files = new Proxy(on.files, {
    get: (target, name) => {
      const member = Reflect.get(target, name, target) as unknown
      if (typeof member !== 'function') return member
      return async (...args: unknown[]) => {
        const result = await (member.apply(target, args) as Promise<unknown>)
        await look()
        return result
      }
    },
  })
  return { name: on.name, files, network: on.network, processes: on.processes }
}
