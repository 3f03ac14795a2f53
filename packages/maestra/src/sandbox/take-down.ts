import { join } from 'node:path'
import { MaestraError, messageOf } from '@maestra/client/base/error'
import type { Host } from '../host/host.js'
import { isMarked, removeMarked } from '../host/marked-directory.js'
import { stopServer } from '../server/postmaster.js'
import { killServer, thawServer } from '../server/server-processes.js'
import { cacheDirectory } from './cache/cache-directory.js'
import { removeUnfinished } from './cache/unfinished.js'
import { endKeeper } from './keeper/keeper-process.js'
import { releaseAbandonedPorts, releasePorts } from './ports.js'
import { forgetSandbox, ownerLives, type RecordedSandbox, recordedSandboxes, takeOver } from './sandbox-record.js'

/** Stands in the directory of every sandbox: without it nothing is removed. */
const sandboxMarker = 'maestra-sandbox'

/** How long a server may take to end in order, in ms. */
const orderlyMs = 10_000

/** Writes the marker into the directory of a sandbox. Whoever does it has made what is in there. */
export async function markSandbox(host: Host, directory: string): Promise<void> {
  const text = 'Maestra made this directory and removes it.\n'
  await host.files.write(join(directory, sandboxMarker), text, { mode: 0o600 })
}

/** Takes down what this process works on. Where another one took it down meanwhile, it has made files there since. */
export async function takeDownOwn(host: Host, sandbox: RecordedSandbox): Promise<void> {
  const { directory } = sandbox.record
  if ((await host.files.stat(directory)) !== undefined) await markSandbox(host, directory)
  await takeDown(host, sandbox)
}

/** Ends the servers of a sandbox, removes its directory, gives back its ports and its name. */
export async function takeDown(host: Host, sandbox: RecordedSandbox): Promise<void> {
  const { directory, ports, claim } = sandbox.record
  const entries = (await host.files.list(directory)) ?? []
  if (!isMarked(entries, sandboxMarker)) {
    throw new MaestraError('directory-in-the-way', `${directory} does not look like a sandbox, so it is not removed`, {
      hint: `look at it; then remove ${sandbox.path}`,
    })
  }
  // On a full disk nothing can be written, and all the more has to go.
  await takeOver(host, sandbox).catch(() => {})
  await endKeeper(host, directory)
  await Promise.all(entries.map((entry) => stopIfServer(host, join(directory, entry), entry)))
  await removeMarked(host, directory, sandboxMarker)
  await releasePorts(host, ports, claim)
  await forgetSandbox(host, sandbox)
}

async function stopIfServer(host: Host, data: string, node: string): Promise<void> {
  if ((await host.files.stat(data))?.kind !== 'directory') return
  await stop(host, data, node)
  // One that was started a moment ago has no postmaster.pid yet. It writes that before it reads pg_control, without which
  // it ends: so it is found now, or goes by itself.
  await host.files.removeFile(join(data, 'global', 'pg_control'))
  await stop(host, data, node)
}

/** In order where it can be, since a killed server leaves shared memory behind; one that stands still goes on for it. */
async function stop(host: Host, data: string, node: string): Promise<void> {
  await thawServer(host, { node, data }).catch(() => {})
  const stopped = stopServer(host, { node, data, mode: 'immediate', timeoutMs: orderlyMs })
  await stopped.catch(() => killServer(host, { node, data }))
}

/**
 * Takes down what owners left that were killed. One that cannot be taken down is named to `onProblem` and does not keep
 * others from being started.
 */
export async function sweep(host: Host, onProblem: (problem: string) => void = () => {}): Promise<void> {
  const sandboxes = await recordedSandboxes(host)
  for (const sandbox of sandboxes) {
    if (await ownerLives(host, sandbox)) continue
    await takeDown(host, sandbox).catch((error) => onProblem(`sandbox ${sandbox.record.name}: ${messageOf(error)}`))
  }
  await releaseAbandonedPorts(host, new Set(sandboxes.flatMap(({ record }) => record.ports)))
  const cache = await cacheDirectory(host)
  for (const folder of ['.', 'binaries', 'ports', 'sandboxes', 'templates']) {
    await removeUnfinished(host, join(cache, folder)).catch((error) => onProblem(messageOf(error)))
  }
}
