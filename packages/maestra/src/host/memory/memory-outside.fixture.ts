import type { Outside } from '../host-bench.fixture.js'
import type { SuiteProgram } from '../suite-programs.fixture.js'
import { type MemoryHost, root } from './memory-host.fixture.js'
import { suitePrograms } from './suite-programs.fixture.js'

/** Arranges in the tree of a host in memory, and has the programs of the suites in its /bin. */
export function memoryOutside({ tree, processes }: MemoryHost): Outside {
  const self = processes.self()
  for (const [name, program] of Object.entries(suitePrograms)) processes.install(pathOf(name as SuiteProgram), program)
  return {
    command: (program, ...args) => [pathOf(program), args],
    fifo: async (path) => void tree.create(path, { kind: 'other', mode: 0o644 }, self),
    hardLink: async (from, to) => tree.link(from, to, self),
    chmod: async (path, mode) => tree.chmod(path, mode, self),
    chown: async (path, owner) => tree.chown(path, owner, root),
    readLink: async (path) => tree.find(path, self, { follow: false }).found?.target ?? '',
  }
}

function pathOf(program: SuiteProgram): string {
  return `/bin/suite-${program}`
}
