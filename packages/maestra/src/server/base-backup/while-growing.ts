import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MaestraError } from '@maestra/client/base/error'
import type { HostFiles } from '../../host/host.js'

export type Growth = {
  readonly directory: string
  /** Completes "waited ... ms for". */
  readonly awaited: string
  /** So long may it stay as it is, in ms, once there is something in it. */
  readonly stallMs: number
  /** So long may it stay empty; without limit when undefined. */
  readonly emptyMs: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** At most so often is a directory looked at, in ms; a large one more seldom. */
const everyMs = 1000

/** Runs what fills a directory, and ends it by its signal when the directory has not grown for too long. */
export async function whileGrowing<T>(
  files: HostFiles,
  growth: Growth,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stall = new AbortController()
  const ended = new AbortController()
  const signals = [stall.signal, ...(growth.signal === undefined ? [] : [growth.signal])]
  const watch = watchGrowth(files, growth, ended.signal).then((error) => {
    if (error !== undefined) stall.abort(error)
  })
  try {
    return await run(AbortSignal.any(signals))
  } finally {
    ended.abort()
    await watch
  }
}

/** What is wrong as soon as it has stood still for too long; undefined when it was ended before. */
async function watchGrowth(files: HostFiles, growth: Growth, ended: AbortSignal): Promise<MaestraError | undefined> {
  const { directory, awaited, stallMs, emptyMs } = growth
  let bytes = 0
  let since = performance.now()
  while (!ended.aborted) {
    const startedAt = performance.now()
    // A look that fails sees what the one before has seen.
    const seen = await bytesBelow(files, directory).catch(() => bytes)
    const now = performance.now()
    if (seen !== bytes) since = now
    bytes = seen
    const limit = bytes === 0 ? emptyMs : stallMs
    if (limit !== undefined && now - since >= limit) {
      return new MaestraError(
        'deadline-passed',
        `waited ${limit} ms for ${awaited}; last seen: ${bytes} bytes in ${directory}`,
        { hint: 'does the primary hang, or the network? then: maestra apply' },
      )
    }
    const pauseMs = Math.max(Math.min(everyMs, stallMs / 2), 10 * (now - startedAt))
    await sleep(pauseMs, undefined, { signal: ended }).catch(() => {})
  }
  return undefined
}

/** The size of all files below a directory. */
export async function bytesBelow(files: HostFiles, path: string): Promise<number> {
  const found = await files.stat(path)
  if (found?.kind !== 'directory') return found?.kind === 'file' ? found.size : 0
  let bytes = 0
  for (const name of (await files.list(path)) ?? []) bytes += await bytesBelow(files, join(path, name))
  return bytes
}
