import { lookup } from 'node:dns/promises'
import { createServer, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { messageOf } from '@maestra/client/base/error'
import type { HostNetwork } from '../host.js'
import { failedWith } from './file-error.js'

/** Addresses and ports of this machine. */
export class LocalNetwork implements HostNetwork {
  async isOwnAddress(address: string): Promise<boolean> {
    // An address needs no name server, and none of its delays.
    const found = isIP(address) === 0 ? await lookup(address, { all: true }).catch(() => []) : [{ address }]
    const own = new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((each) => each.address)))
    return found.length > 0 && found.every((each) => isLoopback(each.address) || own.has(each.address))
  }

  async canListen(
    address: string,
    port: number,
  ): Promise<{ readonly free: true } | { readonly free: false; readonly reason: string }> {
    try {
      await listenOnce(address, port)
      return { free: true }
    } catch (error) {
      return {
        free: false,
        reason: failedWith(error, 'EADDRINUSE') ? 'another program listens there' : messageOf(error),
      }
    }
  }

  async freePort(): Promise<number> {
    return await listenOnce('127.0.0.1', 0)
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

async function listenOnce(address: string, port: number): Promise<number> {
  const server = createServer()
  return await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, exclusive: true }, () => {
      const bound = server.address()
      server.close(() => resolve(bound !== null && typeof bound === 'object' ? bound.port : port))
    })
  })
}
