import { dirname, join } from 'node:path'
import { sleep } from '@maestra/client/base/clock'
import { messageOf } from '@maestra/client/base/error'
import { systemIdentifierOfWalSegment } from '@maestra/client/postgres/control-data'
import { kindOfWalFile } from '@maestra/client/postgres/wal-file'
import { type DeclaredCluster, primaryOf } from '../cluster/declared-cluster.js'
import type { ArchivedSegment, ArchiveObservation } from '../cluster/observation.js'
import type { Account, FileStat, Host } from '../host/host.js'
import { serverAccount } from './account.js'

/** An archive may be on another machine's disk, which answers late or never. In ms. */
const timeoutMs = 10_000
/** The bytes of a segment that name its system. */
const headerBytes = 40

/** What the declared archive is, as the account sees it that the server of the primary runs as. Never throws. */
export async function observeArchive(
  host: Host,
  cluster: DeclaredCluster,
  directory: string,
): Promise<ArchiveObservation> {
  const cancel = new AbortController()
  const late = sleep(timeoutMs, undefined, { signal: cancel.signal }).then(
    () => ({ kind: 'unknown', because: `${directory} could not be looked at within ${timeoutMs} ms` }) as const,
  )
  try {
    return await Promise.race([look(host, cluster, directory), late])
  } catch (error) {
    return { kind: 'unknown', because: messageOf(error) }
  } finally {
    late.catch(() => {})
    cancel.abort()
  }
}

async function look(host: Host, cluster: DeclaredCluster, directory: string): Promise<ArchiveObservation> {
  const account = await serverAccount(host, primaryOf(cluster).data, cluster)
  const facts = {
    account: account.name,
    inDataOf: await nodeAround(host, cluster, directory),
    closedFolder: await host.files.firstClosedFolder(join(directory, 'segment'), account),
  }
  const real = await host.files.realPath(directory)
  const found = await host.files.stat(real ?? directory)
  if (found === undefined) return { kind: 'absent', ...facts }
  if (real === undefined) return { kind: 'in-the-way', because: 'a link that leads nowhere' }
  if (found.kind !== 'directory') return { kind: 'in-the-way', because: 'no directory' }
  return { kind: 'directory', ...facts, writable: mayWrite(found, account), wal: await walIn(host, real) }
}

/** Whether the bits of the mode leave a way to write: of the groups of an account only its first one is known. */
function mayWrite({ uid, mode }: FileStat, account: Account): boolean {
  return (mode & (uid === account.uid ? 0o200 : 0o022)) !== 0
}

/** The node in whose data directory the archive ends up, when links are followed. */
async function nodeAround(host: Host, cluster: DeclaredCluster, directory: string): Promise<string | undefined> {
  const archive = await realPlace(host, directory)
  for (const { name, data } of cluster.nodes) {
    if (`${archive}/`.startsWith(`${await realPlace(host, data)}/`)) return name
  }
  return undefined
}

/** Where a path leads, or will lead when it is made. */
async function realPlace(host: Host, path: string): Promise<string> {
  const real = await host.files.realPath(path)
  if (real !== undefined || dirname(path) === path) return real ?? path
  return join(await realPlace(host, dirname(path)), path.slice(dirname(path).length))
}

/** The oldest and the newest segment tell whose WAL it is: there may be a hundred thousand of them. */
async function walIn(host: Host, directory: string): Promise<readonly ArchivedSegment[]> {
  const segments = ((await host.files.list(directory)) ?? []).filter((name) => kindOfWalFile(name) === 'segment')
  const names = [...new Set([...segments.slice(0, 1), ...segments.slice(-1)])]
  const seen = await Promise.all(
    names.map(async (name) => {
      const header = await host.files.readBytes(join(directory, name), headerBytes)
      const system = header === undefined ? undefined : systemIdentifierOfWalSegment(header)
      return system === undefined ? [] : [{ name, systemIdentifier: String(system) }]
    }),
  )
  return seen.flat()
}
