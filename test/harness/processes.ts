import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { Deadline, type Look, waitUntil } from '@maestra/client/base/deadline'

/** Whether a process runs; a zombie, whose parent has not asked for its exit code yet, does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  const state = textOf(`/proc/${pid}/stat`)?.replace(/^.*\) /s, '')[0]
  return state === undefined || !'ZX'.includes(state)
}

/** Whether it stands still by SIGSTOP. */
export function isStopped(pid: number): boolean {
  return textOf(`/proc/${pid}/stat`)?.replace(/^.*\) /s, '')[0] === 'T'
}

/** Tells a process from a later one with the same pid; undefined where there is no such process, or no /proc. */
export function startTimeOf(pid: number): string | undefined {
  return textOf(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ')[19]
}

/**
 * The processes that work in the directory or below it; every process of a PostgreSQL server works in its data
 * directory.
 */
export function processesBelow(directory: string): readonly number[] {
  return allProcesses().filter((pid) => {
    const folder = workingDirectoryOf(pid)
    return folder === directory || folder?.startsWith(`${directory}/`)
  })
}

/** What every process of this machine was started with, so far as it can be seen. */
export function commandLines(): readonly string[] {
  return allProcesses().flatMap((pid) => commandLineOf(pid) ?? [])
}

/** The processes that were started with a path in the directory, or the directory itself, as an argument. */
export function programsNaming(directory: string): readonly { readonly pid: number; readonly words: string }[] {
  return allProcesses()
    .map((pid) => ({ pid, words: commandLineOf(pid) ?? '' }))
    .filter(({ pid, words }) => words.includes(directory) && isRunning(pid))
}

function commandLineOf(pid: number): string | undefined {
  return textOf(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ')
}

export async function untilGone(pid: number): Promise<void> {
  await waitUntil(() => (isRunning(pid) ? { done: false, seen: 'it runs' } : { done: true, value: undefined }), {
    awaited: `process ${pid} to end`,
    deadline: Deadline.after(30_000),
  })
}

/** Until nothing has the pid any more: PostgreSQL takes a zombie that its postmaster.pid names for a running server. */
export async function untilReaped(pid: number): Promise<void> {
  const look = (): Look<void> =>
    startTimeOf(pid) === undefined
      ? { done: true, value: undefined }
      : { done: false, seen: 'it has an entry in /proc' }
  await waitUntil(look, { awaited: `process ${pid} to be gone`, deadline: Deadline.after(30_000) })
}

/** The directory is /proc's text for one that was removed, too: `/tmp/x (deleted)`. */
export function workingDirectoryOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

function allProcesses(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
