import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { MaestraError, messageOf } from '@maestra/client/base/error'
import type { Host } from '../../host/host.js'

const found = new WeakMap<Host, Map<string, Promise<string>>>()

/**
 * Where sandboxes, their template and the staged programs live: $MAESTRA_CACHE; else for root, whose servers run as another
 * account, /var/cache/maestra; else $XDG_CACHE_HOME/maestra or ~/.cache/maestra; else, where there is no home or it cannot
 * be written, a private folder among the temporary files. Looked for once in the life of a host.
 */
export function cacheDirectory(host: Host, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const own = env['MAESTRA_CACHE']
  const candidates = own ? [resolve(own)] : [...preferred(host.processes.self().uid, env), privateTemporary(host)]
  const known = found.get(host) ?? new Map<string, Promise<string>>()
  found.set(host, known)
  const key = candidates.join('\n')
  const directory = known.get(key) ?? firstUsable(host, candidates)
  known.set(key, directory)
  return directory
}

function preferred(uid: number, env: NodeJS.ProcessEnv): readonly string[] {
  const { XDG_CACHE_HOME: cache, HOME: home } = env
  if (uid === 0) return ['/var/cache/maestra']
  if (cache?.startsWith('/')) return [join(cache, 'maestra')]
  return home?.startsWith('/') ? [join(home, '.cache', 'maestra')] : []
}

function privateTemporary(host: Host): string {
  return join(tmpdir(), `maestra-${host.processes.self().uid}`)
}

async function firstUsable(host: Host, candidates: readonly string[]): Promise<string> {
  const problems: string[] = []
  for (const directory of candidates) {
    const problem = await makeOwn(host, directory)
    if (problem === undefined) return directory
    problems.push(problem)
  }
  throw new MaestraError('no-permission', `there is no place for sandboxes: ${problems.join('; ')}`, {
    hint: 'set MAESTRA_CACHE to a directory that you alone can write',
  })
}

/** Nothing when the directory is ours alone to write, else what is wrong with it. */
async function makeOwn(host: Host, directory: string): Promise<string | undefined> {
  const { uid } = host.processes.self()
  try {
    // Servers run as another account than root, so root's folder lets them through; they cannot list it.
    await host.files.makeDirectory(directory, { mode: uid === 0 ? 0o711 : 0o700 })
    const stat = await host.files.stat(directory)
    if (stat?.kind !== 'directory') return `${directory} is not a directory`
    if (stat.uid !== uid || (stat.mode & 0o022) !== 0) return `${directory} can be written by others`
    const probe = join(directory, `.probe-${process.pid}`)
    await host.files.create(probe, '', { mode: 0o600 })
    await host.files.removeFile(probe)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
