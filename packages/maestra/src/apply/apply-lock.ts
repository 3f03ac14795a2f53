import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import { type DeclaredCluster, primaryOf } from '../cluster/declared-cluster.js'
import type { Host } from '../host/host.js'
import { isAlive, type ProcessOwner, thisProcess } from '../host/process-owner.js'

/** Held by the one apply that may work on a cluster. */
export type ApplyLock = {
  /** Throws `lock-lost` when somebody else holds it by now. */
  assertHeld(): Promise<void>
  release(): Promise<void>
}

type Holder = ProcessOwner & {
  readonly account: string
  readonly machine: string
  readonly since: string
}

/**
 * A file beside the primary's data directory: whoever works on the same servers meets it, from whichever copy of the
 * cluster file. It is made in one step with its content. One whose process is gone is taken over.
 */
export async function acquireLock(host: Host, cluster: DeclaredCluster): Promise<ApplyLock> {
  const { data } = primaryOf(cluster)
  await host.files.makeDirectory(dirname(data), { mode: 0o755 })
  return await acquireLockAt(host, `${data}.maestra-lock`)
}

/** The same at a path of its own, in a directory that is there. Throws `apply-locked` while somebody holds it. */
export async function acquireLockAt(host: Host, path: string): Promise<ApplyLock> {
  const text = `${JSON.stringify(await self(host))}\n`
  await take(host, path, text)
  return lockAt(host, path, text)
}

async function take(host: Host, path: string, text: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (await host.files.create(path, text, { mode: 0o644 })) return
    const found = await host.files.readText(path)
    if (found === undefined) continue
    await refuseUnlessGone(host, path, found)
    await removeStale(host, path, found, text)
  }
  throw new MaestraError('apply-locked', `${path} is taken and given back by other processes all the time`)
}

function lockAt(host: Host, path: string, text: string): ApplyLock {
  return {
    assertHeld: async () => {
      if ((await host.files.readText(path)) !== text) {
        throw new MaestraError('lock-lost', `another apply took over ${path}`, {
          hint: 'see which one works: maestra status',
        })
      }
    },
    release: async () => {
      if ((await host.files.readText(path)) === text) await host.files.removeFile(path)
    },
  }
}

async function self(host: Host): Promise<Holder> {
  return {
    ...(await thisProcess(host)),
    account: host.processes.self().name,
    machine: hostname(),
    since: new Date().toISOString(),
  }
}

/** One that lives, or that cannot be looked at from here, is an error. */
async function refuseUnlessGone(host: Host, path: string, text: string): Promise<void> {
  const holder = holderIn(text)
  if (holder === undefined || holder.machine !== hostname()) throw lockedBy(path, holder)
  if (await isAlive(host, holder)) throw lockedBy(path, holder)
}

/**
 * Several may find the same stale lock, and the slowest must not remove the one that the fastest has made since. So a stale
 * lock is removed by the holder of a second lock alone, which is taken in the same way and looks again: while it is held, a
 * lock that is stale stays what it is.
 */
async function removeStale(host: Host, path: string, stale: string, text: string): Promise<void> {
  const guard = `${path}.stale`
  await take(host, guard, text)
  try {
    if ((await host.files.readText(path)) === stale) await host.files.removeFile(path)
  } finally {
    await host.files.removeFile(guard)
  }
}

function holderIn(text: string): Holder | undefined {
  try {
    const read = JSON.parse(text) as Partial<Holder> | null
    const whole = Number.isInteger(read?.pid) && typeof read?.startedAt === 'string' && typeof read.machine === 'string'
    return whole ? (read as Holder) : undefined
  } catch {
    return undefined
  }
}

function lockedBy(path: string, holder: Holder | undefined): MaestraError {
  const who =
    holder === undefined
      ? 'somebody whose name it does not hold'
      : `${holder.account}@${holder.machine}, process ${holder.pid}, since ${holder.since}`
  return new MaestraError('apply-locked', `another apply works on this cluster: ${path} is held by ${who}`, {
    hint: `wait until it has ended; if it is certainly gone: rm ${path}`,
  })
}
