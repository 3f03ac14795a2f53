import type { Host } from './host.js'

/** Whose something is: a process, told from a later one with the same pid by its start. */
export type ProcessOwner = { readonly pid: number; readonly startedAt: string }

export async function thisProcess(host: Host): Promise<ProcessOwner> {
  const identity = await host.processes.identify(process.pid)
  return { pid: process.pid, startedAt: identity?.startedAt ?? 'unknown' }
}

export async function isAlive(host: Host, owner: ProcessOwner): Promise<boolean> {
  return (await host.processes.identify(owner.pid))?.startedAt === owner.startedAt
}
