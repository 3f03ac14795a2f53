import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HostUnderTest } from './host-bench.fixture.js'
import { LocalHost } from './local/local-host.js'
import { MemoryHost } from './memory/memory-host.fixture.js'
import { memoryOutside } from './memory/memory-outside.fixture.js'
import { shellOutside } from './shell-outside.fixture.js'

/** The hosts that a suite of what uses a host is run on, each with an empty directory: `describe.each(hosts)`. */
export const hosts: readonly { readonly name: string; make(): Promise<HostUnderTest> }[] = [
  { name: 'this machine', make: local },
  { name: 'a machine in memory', make: async () => await inMemory(new MemoryHost()) },
]

async function local(): Promise<HostUnderTest> {
  const host = new LocalHost({ sync: false })
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-host-'))
  chmodSync(directory, 0o755)
  const dispose = async (): Promise<void> => rmSync(directory, { recursive: true, force: true })
  return { host, directory, outside: shellOutside(host), dispose }
}

/** A machine in memory with a directory to work in and the programs of the suites. */
export async function inMemory(host: MemoryHost): Promise<HostUnderTest> {
  await host.files.makeDirectory('/tmp/suite', { mode: 0o755 })
  return { host, directory: '/tmp/suite', outside: memoryOutside(host), dispose: async () => {} }
}
