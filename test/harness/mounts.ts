import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'

/** A disk of its own with so much room, at a folder; only root may do that. */
export function mountSmallDisk(folder: string, megabytes: number): void {
  mkdirSync(folder, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'maestra-test', folder])
}

/** Takes away what tests mounted below a directory, which cannot be removed before. */
export function unmountBelow(directory: string): void {
  for (const [device, folder] of mounts()) {
    if (device === 'maestra-test' && folder?.startsWith(`${directory}/`)) execFileSync('umount', [folder])
  }
}

function mounts(): readonly (readonly string[])[] {
  try {
    return readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
  } catch {
    return []
  }
}
