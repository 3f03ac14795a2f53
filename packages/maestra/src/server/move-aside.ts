import { MaestraError } from '@maestra/client/base/error'
import type { Host } from '../host/host.js'
import { observeProcess } from './postmaster.js'

/**
 * Renames the data directory of a server that does not run to `<data>.before-<time>`, the time in UTC. Nothing that is there
 * is replaced.
 */
export async function moveAside(
  host: Host,
  { node, data }: { readonly node: string; readonly data: string },
  now: Date = new Date(),
): Promise<void> {
  const process = await observeProcess(host, data)
  if (process.kind !== 'none') {
    const seen = process.kind === 'running' ? `process ${process.pid} runs on it` : process.because
    throw new MaestraError('plan-refused', `${node}: ${data} is not moved aside, because ${seen}`)
  }
  const to = `${data}.before-${now.toISOString().replace(/[-:]|\.\d+/g, '')}`
  if ((await host.files.stat(to)) !== undefined) {
    throw new MaestraError('directory-in-the-way', `${node}: ${data} is not moved aside, because ${to} exists`, {
      hint: 'maestra apply goes on from there',
    })
  }
  await host.files.rename(data, to)
}
