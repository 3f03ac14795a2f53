import { join } from 'node:path'
import type { Host } from '../../host/host.js'

/** Of a file or a directory that is made beside its place: its name tells which process makes it. */
const unfinishedName = /\.(?:maestra|building|probe)-(\d+)(?:-\d+)?$/

/** The name under which this process makes something beside its place. */
export function unfinishedPath(path: string, number: number): string {
  return `${path}.building-${process.pid}-${number}`
}

/** Removes from a folder what processes were making there when they were killed. */
export async function removeUnfinished(host: Host, folder: string): Promise<void> {
  for (const name of (await host.files.list(folder)) ?? []) {
    const [, pid] = unfinishedName.exec(name) ?? []
    if (pid === undefined || (await host.processes.identify(Number(pid))) !== undefined) continue
    await host.files.removeTree(join(folder, name))
  }
}
