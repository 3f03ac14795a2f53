import { dirname } from 'node:path'
import { codeOf, MaestraError, messageOf } from '@maestra/client/base/error'

/** Whether a file operation failed with this error name of the operating system, for example `ENOENT`. */
export function failedWith(error: unknown, ...names: readonly string[]): boolean {
  const code = codeOf(error)
  return code !== undefined && names.includes(code)
}

/** An error of the operating system about a path, as an error of Maestra. */
export function fileError(action: string, path: string, error: unknown): MaestraError {
  if (error instanceof MaestraError) return error
  if (failedWith(error, 'EACCES', 'EPERM')) {
    return new MaestraError('no-permission', `cannot ${action} ${path}: permission denied`, {
      cause: error,
      hint: `run as an account that may, or look at its permissions: ls -ld ${path}`,
    })
  }
  const reason = reasonOf(error)
  const hint = hintFor(error, path)
  return new MaestraError('file-system-failed', `cannot ${action} ${path}: ${reason}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** Where to look; the path itself may not be there. */
function hintFor(error: unknown, path: string): string | undefined {
  const folder = dirname(path)
  if (failedWith(error, 'ENOSPC')) return `make room, then run it again: df -h ${folder}; df -i ${folder}`
  if (failedWith(error, 'EDQUOT')) return 'make room, or have the quota raised, then run it again: quota'
  if (failedWith(error, 'EROFS')) return `see how it is mounted: findmnt -T ${folder}`
  if (failedWith(error, 'ENOENT', 'ENOTDIR')) return `see what is there: ls -ld ${folder}`
  return undefined
}

function reasonOf(error: unknown): string {
  if (failedWith(error, 'ENOSPC')) return 'no space left on the device'
  if (failedWith(error, 'EDQUOT')) return 'the disk quota is used up'
  if (failedWith(error, 'EROFS')) return 'the file system is read-only'
  if (failedWith(error, 'EBUSY')) return 'it is in use, for example as a mount point'
  if (failedWith(error, 'EXDEV')) return 'source and target are on different file systems'
  if (failedWith(error, 'ENOTDIR')) return 'a part of the path is not a directory'
  // Missing parents are made, so this is no place for directories: /proc, for one.
  if (failedWith(error, 'ENOENT') && /, mkdir /.test(messageOf(error))) return 'no directory can be made there'
  return messageOf(error)
}
