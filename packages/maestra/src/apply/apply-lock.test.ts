import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { Host } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { type ApplyLock, acquireLock } from './apply-lock.js'

const host = new LocalHost({ sync: false })
let directory: string
let cluster: DeclaredCluster
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-lock-'))
  path = join(directory, 'data', 'a.maestra-lock')
  cluster = {
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
    allow: [],
    passfile: join(directory, 'main.pgpass'),
  }
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** What a holder writes: this process, unless told otherwise. */
async function lockText(but: Readonly<Record<string, unknown>> = {}): Promise<string> {
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

function leave(text: string): void {
  rmSync(join(directory, 'data'), { recursive: true, force: true })
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** The pid of a process that has ended. */
async function deadPid(): Promise<number> {
  const { stdout } = await host.processes.run('/bin/sh', ['-c', 'echo $$'], {})
  return Number(stdout)
}

async function expectRefused(but: string): Promise<void> {
  const before = readFileSync(path, 'utf8')
  await expect(acquireLock(host, cluster)).rejects.toMatchObject({
    code: 'apply-locked',
    message: `another apply works on this cluster: ${path} is held by ${but}`,
    hint: `wait until it has ended; if it is certainly gone: rm ${path}`,
  })
  expect(readFileSync(path, 'utf8')).toBe(before)
  expect(readdirSync(join(directory, 'data'))).toEqual(['a.maestra-lock'])
}

async function held(locks: readonly ApplyLock[]): Promise<readonly ApplyLock[]> {
  const outcomes = await Promise.allSettled(locks.map((lock) => lock.assertHeld()))
  return locks.filter((_, index) => outcomes[index]?.status === 'fulfilled')
}

function locksOf(outcomes: readonly PromiseSettledResult<ApplyLock>[]): readonly ApplyLock[] {
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
}

describe('the lock of an apply', () => {
  it('is held until it is given back, and leaves nothing then', async () => {
    const lock = await acquireLock(host, cluster)
    await lock.assertHeld()
    await lock.release()
    expect(readdirSync(join(directory, 'data'))).toEqual([])
    const again = await acquireLock(host, cluster)
    await again.assertHeld()
    await again.release()
  })

  it('is refused to a second one, also of the same process, and says who holds it and since when', async () => {
    const lock = await acquireLock(host, cluster)
    const { since } = JSON.parse(readFileSync(path, 'utf8')) as { since: string }
    expect(Number.isNaN(Date.parse(since))).toBe(false)
    await expectRefused(`${host.processes.self().name}@${hostname()}, process ${process.pid}, since ${since}`)
    await lock.assertHeld()
    await lock.release()
  })

  it('is refused while another process holds it', async () => {
    const holder = await host.processes.startDaemon('/bin/sleep', ['1000'], { logFile: join(directory, 'log') })
    try {
      const startedAt = (await host.processes.identify(holder.pid))?.startedAt
      leave(await lockText({ pid: holder.pid, startedAt }))
      await expectRefused(`somebody@${hostname()}, process ${holder.pid}, since 2026-01-02T03:04:05.000Z`)
    } finally {
      host.processes.signal(holder.pid, 'SIGKILL')
    }
  })

  it('is taken over from a process that has ended', async () => {
    leave(await lockText({ pid: await deadPid() }))
    const lock = await acquireLock(host, cluster)
    await lock.assertHeld()
    expect(readdirSync(join(directory, 'data'))).toEqual(['a.maestra-lock'])
    await lock.release()
    expect(readdirSync(join(directory, 'data'))).toEqual([])
  })

  it('is taken over where another process has the pid by now', async () => {
    leave(await lockText({ startedAt: 'another-boot:1' }))
    const lock = await acquireLock(host, cluster)
    await lock.assertHeld()
    await lock.release()
  })

  it('is never taken over from another machine, whose processes cannot be seen from here', async () => {
    const pid = await deadPid()
    leave(await lockText({ pid, machine: 'elsewhere' }))
    await expectRefused(`somebody@elsewhere, process ${pid}, since 2026-01-02T03:04:05.000Z`)
  })

  it.each(['', 'rubbish', '{', 'null', '12', '[]', '{"pid": "1"}'])(
    'is not taken over when it holds %j, since that names nobody who could be gone',
    async (text) => {
      leave(text)
      await expectRefused('somebody whose name it does not hold')
    },
  )

  it('is lost, and known to be, when somebody removed or replaced it', async () => {
    const lock = await acquireLock(host, cluster)
    rmSync(path)
    await expect(lock.assertHeld()).rejects.toMatchObject({ code: 'lock-lost' })
    writeFileSync(path, await lockText({ machine: 'elsewhere' }))
    await expect(lock.assertHeld()).rejects.toMatchObject({ code: 'lock-lost' })
  })

  it('is given back by its holder alone', async () => {
    const lock = await acquireLock(host, cluster)
    const other = await lockText({ machine: 'elsewhere' })
    writeFileSync(path, other)
    await lock.release()
    expect(readFileSync(path, 'utf8')).toBe(other)
  })

  it('goes to one of twenty that find a stale one at the same moment', async () => {
    const stale = await lockText({ pid: await deadPid() })
    for (let round = 0; round < 20; round += 1) {
      leave(stale)
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLock(host, cluster)))
      const locks = locksOf(outcomes)
      expect(locks, `round ${round}`).toHaveLength(1)
      expect(await held(locks)).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'apply-locked' })
      }
      expect(readdirSync(join(directory, 'data'))).toEqual(['a.maestra-lock'])
    }
  })

  it('stays with the one that was faster when a slow one found the same stale lock', async () => {
    leave(await lockText({ pid: await deadPid() }))
    let fast: ApplyLock | undefined
    const slow = hostThatPauses(async () => {
      fast ??= await acquireLock(host, cluster)
    })
    await expect(acquireLock(slow, cluster)).rejects.toMatchObject({ code: 'apply-locked' })
    await fast?.assertHeld()
    await fast?.release()
    expect(readdirSync(join(directory, 'data'))).toEqual([])
  })

  it('goes to one of two also when the second comes just before the first removes the stale one', async () => {
    leave(await lockText({ pid: await deadPid() }))
    const attempts: PromiseSettledResult<ApplyLock>[] = []
    let reads = 0
    const slow = hostThatReads(async (read) => {
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
    leave(await lockText({ pid: await deadPid() }))
    let fast: ApplyLock | undefined
    const seen: boolean[] = []
    const pausing = hostThatPauses(async () => {
      fast ??= await acquireLock(host, cluster)
    })
    const look = () => {
      if (fast !== undefined) seen.push(readdirSync(join(directory, 'data')).includes('a.maestra-lock'))
    }
    await expect(acquireLock(watched(pausing, look), cluster)).rejects.toMatchObject({ code: 'apply-locked' })
    expect(seen.length).toBeGreaterThan(0)
    expect(seen).not.toContain(false)
    await fast?.assertHeld()
  })

  it('is taken over also when one was killed in the middle of taking it over', async () => {
    const stale = await lockText({ pid: await deadPid() })
    leave(stale)
    writeFileSync(`${path}.stale`, stale)
    const lock = await acquireLock(host, cluster)
    await lock.assertHeld()
    expect(readdirSync(join(directory, 'data'))).toEqual(['a.maestra-lock'])
  })
})

/** A host on which something happens between finding that a process is gone and doing something about it. */
function hostThatPauses(meanwhile: () => Promise<void>): Host {
  const processes = Object.create(host.processes) as Host['processes']
  processes.identify = async (pid) => {
    const found = await host.processes.identify(pid)
    if (found === undefined) await meanwhile()
    return found
  }
  return { name: host.name, files: host.files, network: host.network, processes }
}

/** A host on which something happens after a file was read and before anything is made of it. */
function hostThatReads(meanwhile: (path: string) => Promise<void>): Host {
  const files = new Proxy(host.files, {
    get: (target, name) => {
      const member = Reflect.get(target, name, target) as unknown
      if (name === 'readText') {
        return async (path: string) => {
          const text = await target.readText(path)
          await meanwhile(path)
          return text
        }
      }
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  return { name: host.name, files, network: host.network, processes: host.processes }
}

/** A host that is looked at after every operation on files. */
function watched(on: Host, look: () => void): Host {
  const files = new Proxy(host.files, {
    get: (target, name) => {
      const member = Reflect.get(target, name, target) as unknown
      if (typeof member !== 'function') return member
      return async (...args: unknown[]) => {
        const result = await (member.apply(target, args) as Promise<unknown>)
        look()
        return result
      }
    },
  })
  return { name: on.name, files, network: on.network, processes: on.processes }
}
