import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { Host } from '../host/host.js'
import { isAlive, type ProcessOwner, thisProcess } from '../host/process-owner.js'
import { cacheDirectory } from './cache-directory.js'

/** Below the range from which systems take the ports of outgoing connections, so that none of those takes one first. */
const firstPort = 20_000
const lastPort = 32_000

/** Ports that are this process's until it gives them back, also while nothing listens on them yet. */
export type PortClaim = {
  readonly ports: readonly number[]
  release(): Promise<void>
}

/** Claims free ports of the loopback address. Two that claim at the same moment never get the same one. */
export async function claimPorts(host: Host, count: number): Promise<PortClaim> {
  const folder = await portsFolder(host)
  const text = JSON.stringify(await thisProcess(host))
  const claimed: number[] = []
  for (let tries = 0; claimed.length < count; tries += 1) {
    if (tries > 1000) {
      await releasePorts(host, claimed)
      throw new MaestraError('port-taken', `no ${count} free ports were found from ${firstPort} to ${lastPort}`)
    }
    const port = randomInt(firstPort, lastPort)
    if (await claimPort(host, join(folder, String(port)), port, text)) claimed.push(port)
  }
  return { ports: claimed, release: () => releasePorts(host, claimed) }
}

async function claimPort(host: Host, path: string, port: number, text: string): Promise<boolean> {
  if (!(await host.files.create(path, text, { mode: 0o600 }))) return false
  if ((await host.network.canListen('127.0.0.1', port)).free) return true
  await host.files.removeFile(path)
  return false
}

/** Gives ports back. */
export async function releasePorts(host: Host, ports: readonly number[]): Promise<void> {
  const folder = await portsFolder(host)
  await Promise.all(ports.map((port) => host.files.removeFile(join(folder, String(port)))))
}

/** Gives back what was claimed by processes that were killed, except where a server listens still. */
export async function releaseAbandonedPorts(host: Host): Promise<void> {
  const folder = await portsFolder(host)
  for (const name of (await host.files.list(folder)) ?? []) {
    const path = join(folder, name)
    const isClaim = /^\d+$/.test(name)
    const text = await host.files.readText(path)
    const owner = ownerIn(text)
    // A claim is whole from its first moment; what will become one may be half written.
    if (owner === undefined && !isClaim) continue
    if (owner !== undefined && (await isAlive(host, owner))) continue
    if (isClaim && !(await host.network.canListen('127.0.0.1', Number(name))).free) continue
    // Meanwhile another process may have removed it and a third one claimed the port.
    if ((await host.files.readText(path)) === text) await host.files.removeFile(path)
  }
}

function ownerIn(text: string | undefined): ProcessOwner | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as ProcessOwner)
  } catch {
    return undefined
  }
}

async function portsFolder(host: Host): Promise<string> {
  const folder = join(await cacheDirectory(host), 'ports')
  await host.files.makeDirectory(folder, { mode: 0o700 })
  return folder
}
