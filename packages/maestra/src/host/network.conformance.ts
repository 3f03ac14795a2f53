import { describe, expect, it } from 'vitest'
import { type HostBench, until } from './host-bench.fixture.js'

/** What every HostNetwork promises. */
export function networkConformance({ host, daemon, log }: HostBench): void {
  describe('the network', () => {
    it('knows its own addresses and names', async () => {
      for (const own of ['127.0.0.1', '127.8.9.10', '::1', 'localhost']) {
        expect(await host.network.isOwnAddress(own), own).toBe(true)
      }
      // Networks for documentation, and a name that never is one.
      for (const other of ['203.0.113.7', '2001:db8::7', 'host.invalid']) {
        expect(await host.network.isOwnAddress(other), other).toBe(false)
      }
    })

    it('finds a port that is free', async () => {
      const port = await host.network.freePort()
      expect(port).toBeGreaterThan(0)
      expect(await host.network.canListen('127.0.0.1', port)).toEqual({ free: true })
    })

    it('leaves a port free that it has looked at', async () => {
      const port = await host.network.freePort()
      for (const again of [1, 2, 3]) {
        expect(await host.network.canListen('127.0.0.1', port), `time ${again}`).toEqual({ free: true })
      }
    })

    it('says why a server cannot listen', async () => {
      const port = await host.network.freePort()
      await daemon('serve', [`${port}`])
      await until(async () => (await log()) !== '', 'the port to be taken')
      expect(await log()).toBe('listening\n')
      expect(await host.network.canListen('127.0.0.1', port)).toEqual({
        free: false,
        reason: 'another program listens there',
      })
      expect(await host.network.canListen('203.0.113.7', port)).toMatchObject({
        free: false,
        reason: expect.stringContaining('EADDRNOTAVAIL'),
      })
    })
  })
}
