import { join } from 'node:path'
import { MaestraError, messageOf } from '@maestra/client/base/error'
import type { Host } from '../host/host.js'
import { isMarked, removeMarked } from '../host/marked-directory.js'
import { stopServer } from '../server/postmaster.js'
import { killServer, thawServer } from '../server/server-processes.js'
import { endKeeper } from './keeper/keeper-process.js'
import { releaseAbandonedPorts, releasePorts } from './ports.js'
import { forgetSandbox, ownerLives, type RecordedSandbox, recordedSandboxes } from './sandbox-record.js'

/** Stands in the directory of every sandbox: without it nothing is removed. */
export const sandboxMarker = 'maestra-sandbox'

/** How long a server may take to end in order, in ms. */
const orderlyMs = 10_000

/** Ends the servers of a sandbox, removes its directory, gives back its ports and its name. */
export async function takeDown(host: Host, sandbox: RecordedSandbox): Promise<void> {
  const { directory, ports, claim } = sandbox.record
  const entries = (await host.files.list(directory)) ?? []
  if (!isMarked(entries, sandboxMarker)) {
    throw new MaestraError('directory-in-the-way', `${directory} does not look like a sandbox, so it is not removed`, {
      hint: `look at it; then remove ${sandbox.path}`,
    })
  }
  await endKeeper(host, directory)
  await Promise.all(entries.map((entry) => stopIfServer(host, join(directory, entry), entry)))
  await removeMarked(host, directory, sandboxMarker)
  await releasePorts(host, ports, claim)
  await forgetSandbox(host, sandbox)
}

/** In order where it can be, since a killed server leaves shared memory behind; one that stands still goes on for it. */
async function stopIfServer(host: Host, data: string, node: string): Promise<void> {
  if ((await host.files.stat(data))?.kind !== 'directory') return
  await thawServer(host, { node, data }).catch(() => {})
  const stop = stopServer(host, { node, data, mode: 'immediate', timeoutMs: orderlyMs })
  await stop.catch(() => killServer(host, { node, data }))
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
}
