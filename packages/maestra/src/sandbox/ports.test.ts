import type * as crypto from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Host } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { claimPorts, releaseAbandonedPorts, releasePorts } from './ports.js'

const random = vi.hoisted(() => vi.fn<(from: number, to: number) => number | undefined>())

/** The real dice, unless a test says how they fall. */
vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof crypto>()
  return { ...original, randomInt: (from: number, to: number) => random(from, to) ?? original.randomInt(from, to) }
})

let host: Host
let directory: string
let folder: string
let servers: Server[]

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-ports-'))
  vi.stubEnv('MAESTRA_CACHE', directory)
  host = new LocalHost({ sync: false })
  folder = join(directory, 'ports')
  servers = []
})

afterEach(async () => {
  for (const server of servers) await new Promise((closed) => server.close(closed))
  vi.unstubAllEnvs()
  random.mockReset()
  rmSync(directory, { recursive: true, force: true })
})

const claimed = (): number[] => readdirSync(folder).map(Number)

async function listen(port: number): Promise<void> {
  const server = createServer()
  servers.push(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
}

/** A claim as a process writes it that has been killed since. */
async function leaveClaim(port: number | string, but: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const { stdout } = await host.processes.run('/bin/sh', ['-c', 'echo $$'], {})
  writeFileSync(join(folder, String(port)), JSON.stringify({ pid: Number(stdout), startedAt: 'some-boot:1', ...but }))
}

/** A port on which nothing listens and that nobody has claimed. */
async function freePort(): Promise<number> {
  const claim = await claimPorts(host, 1)
  await claim.release()
  return claim.ports[0] ?? 0
}

describe('claimPorts', () => {
  it('gives free ports below those of outgoing connections, each to one claimer until it is given back', async () => {
    const claims = await Promise.all(Array.from({ length: 12 }, () => claimPorts(host, 10)))
    const ports = claims.flatMap((claim) => claim.ports)
    expect(new Set(ports).size).toBe(120)
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(20_000)
    expect(Math.max(...ports)).toBeLessThanOrEqual(32_000)
    expect(claimed().sort()).toEqual([...ports].sort())
    for (const claim of claims) await claim.release()
    expect(claimed()).toEqual([])
  })

  it('never gives one port to two, also when both look for it at the same moment', async () => {
    const few = [20_001, 20_002, 20_003, 20_004]
    let next = 0
    // The dice fall on the same few ports for all.
    random.mockImplementation(() => few[next++ % few.length] ?? 0)
    const claims = await Promise.all([1, 2, 3, 4].map(() => claimPorts(onFreeMachine(), 1)))
    expect(claims.flatMap((claim) => claim.ports).sort()).toEqual(few)
  })

  it('does not give a port on which another program listens, and does not keep it claimed', async () => {
    const port = await freePort()
    await listen(port)
    const other = await freePort()
    random.mockReturnValueOnce(port).mockReturnValueOnce(other)
    const claim = await claimPorts(host, 1)
    expect(claim.ports).toEqual([other])
    expect(claimed()).toEqual([other])
  })

  it('gives back what it has got when there are not enough', async () => {
    const [one, two] = [await freePort(), await freePort()]
    let next = 0
    random.mockImplementation(() => [one, two][next++ % 2] ?? 0)
    await expect(claimPorts(host, 3)).rejects.toMatchObject({ code: 'port-taken' })
    expect(claimed()).toEqual([])
  })
})

describe('releaseAbandonedPorts', () => {
  it('gives back what a killed process claimed, and keeps what a living one has', async () => {
    const claim = await claimPorts(host, 2)
    const [abandoned, reused] = [await freePort(), await freePort()]
    await leaveClaim(abandoned)
    // The pid lives, and it is another process than the one that claimed.
    await leaveClaim(reused, { pid: process.pid })
    await releaseAbandonedPorts(host, new Set())
    expect(claimed().sort()).toEqual([...claim.ports].sort())
  })

  it('keeps a port on which the server of a killed process listens still', async () => {
    const port = await freePort()
    await listen(port)
    await leaveClaim(port)
    await releaseAbandonedPorts(host, new Set())
    expect(claimed()).toEqual([port])
  })

  it('keeps the ports of a sandbox that has no owner', async () => {
    const port = await freePort()
    await leaveClaim(port)
    await releaseAbandonedPorts(host, new Set([port]))
    expect(claimed()).toEqual([port])
  })

  it('gives back a port whose claim says nothing, as after a loss of power', async () => {
    const port = await freePort()
    writeFileSync(join(folder, String(port)), '')
    await releaseAbandonedPorts(host, new Set())
    expect(claimed()).toEqual([])
  })

  it('leaves a claim alone that is being written', async () => {
    await freePort()
    writeFileSync(join(folder, '20000.maestra-1-1'), '')
    await releaseAbandonedPorts(host, new Set())
    expect(readdirSync(folder)).toEqual(['20000.maestra-1-1'])
  })

  it('leaves a port to the one that claimed it after it was found abandoned', async () => {
    const port = await freePort()
    await leaveClaim(port)
    const path = join(folder, String(port))
    const other = JSON.stringify({ pid: process.pid, startedAt: 'of another claimer' })
    const network = Object.create(host.network) as Host['network']
    network.canListen = async () => {
      writeFileSync(path, other)
      return { free: true }
    }
    await releaseAbandonedPorts({ ...onFreeMachine(), network }, new Set())
    expect(readFileSync(path, 'utf8')).toBe(other)
  })
})

describe('releasePorts', () => {
  it('gives back those and no others; again nothing happens', async () => {
    const claim = await claimPorts(host, 3)
    const [first = 0, ...rest] = claim.ports
    for (let time = 0; time < 2; time += 1) {
      await releasePorts(host, [first], claim.id)
      expect(claimed().sort()).toEqual([...rest].sort())
    }
    expect(existsSync(folder)).toBe(true)
  })

  it('leaves a port alone that another claim has by now', async () => {
    const claim = await claimPorts(host, 1)
    await releasePorts(host, claim.ports, 'of a claim of before')
    expect(claimed()).toEqual([...claim.ports])
  })
})

/** The host on which every port is free, so that what other programs of this machine do does not matter. */
function onFreeMachine(): Host {
  const network = Object.create(host.network) as Host['network']
  network.canListen = async () => ({ free: true })
  return { name: host.name, files: host.files, processes: host.processes, network }
}
