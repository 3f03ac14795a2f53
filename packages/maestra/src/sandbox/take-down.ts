import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { Host } from '../host/host.js'
import { stopServer } from '../server/postmaster.js'
import { releasePorts } from './ports.js'
import { forgetSandbox, ownerLives, type RecordedSandbox, recordedSandboxes } from './sandbox-record.js'

/** Stands in the directory of every sandbox: without it nothing is removed. */
export const sandboxMarker = 'maestra-sandbox'

/** Ends the servers of a sandbox, removes its directory, gives back its ports and its name. */
export async function takeDown(host: Host, sandbox: RecordedSandbox): Promise<void> {
  const { directory, ports } = sandbox.record
  const entries = await host.files.list(directory)
  if (entries !== undefined && entries.length > 0) {
    if (!entries.includes(sandboxMarker)) {
      throw new MaestraError(
        'directory-in-the-way',
        `${directory} does not look like a sandbox, so it is not removed`,
        {
          hint: `look at it; then remove ${sandbox.path}`,
        },
      )
    }
    await Promise.all(entries.map((entry) => stopIfServer(host, join(directory, entry), entry)))
  }
  await host.files.removeTree(directory)
  await releasePorts(host, ports)
  await forgetSandbox(host, sandbox)
}

async function stopIfServer(host: Host, data: string, node: string): Promise<void> {
  if ((await host.files.stat(data))?.kind === 'directory') await stopServer(host, { node, data, mode: 'immediate' })
}

/** Takes down what owners left that were killed. */
export async function sweep(host: Host): Promise<readonly string[]> {
  const swept: string[] = []
  for (const sandbox of await recordedSandboxes(host)) {
    if (await ownerLives(host, sandbox)) continue
    await takeDown(host, sandbox)
    swept.push(sandbox.record.name)
  }
  return swept
}
