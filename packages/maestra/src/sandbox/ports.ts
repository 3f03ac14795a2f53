import { randomBytes, randomInt } from 'node:crypto'
import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { Host } from '../host/host.js'
import { isAlive, type ProcessOwner, thisProcess } from '../host/process-owner.js'
import { cacheDirectory } from './cache/cache-directory.js'

/** Below the range from which systems take the ports of outgoing connections, so that none of those takes one first. */
const firstPort = 20_000
const lastPort = 32_000

/** Ports that are this process's until it gives them back, also while nothing listens on them yet. */
export type PortClaim = {
  readonly ports: readonly number[]
  /** Told apart by it from a later claim of the same ports. */
  readonly id: string
  release(): Promise<void>
}

/** Claims free ports of the loopback address. Two that claim at the same moment never get the same one. */
export async function claimPorts(host: Host, count: number): Promise<PortClaim> {
  const folder = await portsFolder(host)
  const id = randomBytes(6).toString('hex')
  const text = JSON.stringify({ ...(await thisProcess(host)), id } satisfies Claim)
  const claimed: number[] = []
  for (let tries = 0; claimed.length < count; tries += 1) {
    if (tries > 1000) {
      await releasePorts(host, claimed, id)
      throw new MaestraError('port-taken', `no ${count} free ports were found from ${firstPort} to ${lastPort}`)
    }
    const port = randomInt(firstPort, lastPort)
    if (await claimPort(host, join(folder, String(port)), port, text)) claimed.push(port)
  }
  return { ports: claimed, id, release: () => releasePorts(host, claimed, id) }
}

async function claimPort(host: Host, path: string, port: number, text: string): Promise<boolean> {
  if (!(await host.files.create(path, text, { mode: 0o600 }))) return false
  if ((await host.network.canListen('127.0.0.1', port)).free) return true
  await host.files.removeFile(path)
  return false
}

/** Gives the ports of a claim back; one that somebody else has claimed since stays claimed. */
export async function releasePorts(host: Host, ports: readonly number[], id: string): Promise<void> {
  const folder = await portsFolder(host)
  await Promise.all(
    ports.map(async (port) => {
      const path = join(folder, String(port))
      if (claimIn(await host.files.readText(path))?.id === id) await host.files.removeFile(path)
    }),
  )
}

/** Gives back what was claimed by processes that were killed, except where a server listens still and what is in `used`. */
export async function releaseAbandonedPorts(host: Host, used: ReadonlySet<number>): Promise<void> {
  const folder = await portsFolder(host)
  for (const name of (await host.files.list(folder)) ?? []) {
    // What will become a claim has another name.
    if (!/^\d+$/.test(name)) continue
    const path = join(folder, name)
    const text = await host.files.readText(path)
    const owner = claimIn(text)
    if (used.has(Number(name)) || (owner !== undefined && (await isAlive(host, owner)))) continue
    if (!(await host.network.canListen('127.0.0.1', Number(name))).free) continue
    // Meanwhile another process may have removed it and a third one claimed the port.
    if ((await host.files.readText(path)) === text) await host.files.removeFile(path)
  }
}

type Claim = ProcessOwner & { readonly id: string }

function claimIn(text: string | undefined): Claim | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Claim)
  } catch {
    return undefined
  }
}

async function portsFolder(host: Host): Promise<string> {
  const folder = join(await cacheDirectory(host), 'ports')
  await host.files.makeDirectory(folder, { mode: 0o700 })
  return folder
}
