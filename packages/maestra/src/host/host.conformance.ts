import { describe } from 'vitest'
import { directoriesConformance } from './directories.conformance.js'
import { filesConformance } from './files.conformance.js'
import { type HostUnderTest, hostBench } from './host-bench.fixture.js'
import { networkConformance } from './network.conformance.js'
import { processesConformance } from './processes.conformance.js'

/** What every Host promises, whichever machine it stands for. */
export function hostConformance(name: string, make: () => Promise<HostUnderTest>): void {
  describe(`${name} as a host`, () => {
    const bench = hostBench(make)
    filesConformance(bench)
    directoriesConformance(bench)
    processesConformance(bench)
    networkConformance(bench)
  })
}
