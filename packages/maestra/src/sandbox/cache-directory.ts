import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { Host } from '../host/host.js'

/**
 * Where sandboxes, their template and the staged programs live: for root, whose servers run as another account,
 * /var/cache/maestra; else $XDG_CACHE_HOME/maestra or ~/.cache/maestra; else, where there is no home or it cannot be
 * written, a private folder among the temporary files.
 */
export async function cacheDirectory(host: Host, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const self = host.processes.self()
  // Servers run as another account than root, so root's folders have to let it through; it cannot list them.
  const mode = self.uid === 0 ? 0o711 : 0o700
  const tried: string[] = []
  for (const directory of [...preferred(self.uid, env), join(tmpdir(), `maestra-${self.uid}`)]) {
    const problem = await makeOwn(host, directory, self.uid, mode)
    if (problem === undefined) return directory
    tried.push(problem)
  }
  throw new MaestraError('no-permission', `there is no place for sandboxes: ${tried.join('; ')}`, {
    hint: 'set XDG_CACHE_HOME to a directory that you can write',
  })
}

function preferred(uid: number, env: NodeJS.ProcessEnv): readonly string[] {
  if (uid === 0) return ['/var/cache/maestra']
  const { XDG_CACHE_HOME: cache, HOME: home } = env
  if (cache?.startsWith('/')) return [join(cache, 'maestra')]
  return home?.startsWith('/') ? [join(home, '.cache', 'maestra')] : []
}

/** Nothing when the directory is ours alone to write, else what is wrong with it. */
async function makeOwn(host: Host, directory: string, uid: number, mode: number): Promise<string | undefined> {
  try {
    await host.files.makeDirectory(directory, { mode })
    const found = await host.files.stat(directory)
    if (found?.kind !== 'directory') return `${directory} is not a directory`
    if (found.uid !== uid || (found.mode & 0o022) !== 0) return `${directory} can be written by others`
    const probe = join(directory, `.probe-${process.pid}`)
    await host.files.write(probe, '', { mode: 0o600 })
    await host.files.removeFile(probe)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
