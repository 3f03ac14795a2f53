import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import { type DeclaredCluster, primaryOf } from '../cluster/declared-cluster.js'
import type { Host } from '../host/host.js'

/** Held by the one apply that may work on a cluster. */
export type ApplyLock = {
  /** Throws `lock-lost` when somebody else holds it by now. */
  assertHeld(): Promise<void>
  release(): Promise<void>
}

type Holder = {
  readonly pid: number
  readonly startedAt: string
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
  const path = `${data}.maestra-lock`
  const text = `${JSON.stringify(await self(host))}\n`
  await host.files.makeDirectory(dirname(path), { mode: 0o755 })
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (await host.files.create(path, text, { mode: 0o644 })) return lockAt(host, path, text)
    const found = await host.files.readText(path)
    if (found !== undefined) await takeOver(host, path, found)
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
  const identity = await host.processes.identify(process.pid)
  return {
    pid: process.pid,
    startedAt: identity?.startedAt ?? 'unknown',
    account: host.processes.self().name,
    machine: hostname(),
    since: new Date().toISOString(),
  }
}

/** Moves a lock away whose holder is gone. One that lives, or that cannot be looked at from here, is an error. */
async function takeOver(host: Host, path: string, text: string): Promise<void> {
  const holder = holderIn(text)
  if (holder === undefined || holder.machine !== hostname()) throw lockedBy(path, holder)
  const alive = await host.processes.identify(holder.pid)
  if (alive?.startedAt === holder.startedAt) throw lockedBy(path, holder)
  // Two may find the same stale lock. The rename is done by one of them; whoever moves a living one puts it back.
  const aside = `${path}.${process.pid}`
  await host.files.rename(path, aside).catch(() => {})
  const moved = await host.files.readText(aside)
  if (moved !== undefined && moved !== text) await host.files.create(path, moved, { mode: 0o644 })
  await host.files.removeFile(aside)
}

function holderIn(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder
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
